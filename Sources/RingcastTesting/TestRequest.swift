import HTTPProtocol
public import HTTPTypes
import Reactor

/// A request to a `TestServer` whose answer may still be on its way, on a connection of its own: what
/// `TestServer.beginRequest` gives. Used by the task that uses the server.
public final class TestRequest: TestConnection {
    private var answer: AnswerReader

    init(_ network: TestNetwork, loop: Int, address: SocketAddress?, isHead: Bool) {
        answer = AnswerReader(isToHead: isHead)
        super.init(network, loop: loop, address: address)
    }

    /// The whole answer; nil until it is there.
    public var response: TestResponse? { rested.response }

    /// The answer's status; nil until its head has come.
    public var status: HTTPResponse.Status? {
        rested.head.map { HTTPResponse.Status(code: $0.status, reasonPhrase: $0.reason) }
    }

    /// The answer's headers; nil until they have come.
    public var headers: HTTPFields? { rested.head?.fields }

    /// What has come of the answer's body: of one that streams, more and more.
    public var body: [UInt8] { rested.body }

    /// `body` as a string. What is not UTF-8 comes out repaired.
    public var string: String { String(decoding: body, as: UTF8.self) }

    /// The whole answer, waiting for it in real time: for handlers that wait for something outside of the loops, such
    /// as another thread, or a sleep that is not the virtual clock's. Time passes on the network, and nowhere else.
    /// - Parameters:
    ///   - timeout: of real time, against hanging only.
    ///   - isolation: the caller's, which it does not leave.
    /// - Throws: a `TestClientError` (`disconnected`, `invalidAnswer`, `timedOut`), or `CancellationError`.
    public func answered(
        within timeout: Duration = .seconds(60), isolation: isolated (any Actor)? = #isolation
    ) async throws -> TestResponse {
        try await network.serve(within: timeout, isolation: isolation) { isDecided }
        return try result()
    }

    private var rested: AnswerReader {
        network.rest()
        return answer
    }

    var isDecided: Bool { answer.isComplete || answer.fault != nil || !isConnected }

    func result() throws(TestClientError) -> TestResponse {
        if let response = answer.response { return response }
        if let fault = answer.fault { throw .invalidAnswer(fault) }
        throw isConnected ? .unanswered : .disconnected
    }

    override func received(_ bytes: [UInt8]) {
        answer.read(bytes)
        if answer.isComplete { endItsSide() }
    }

    override func connectionEnded() { answer.connectionEnded() }
}
