import HTTP2Testing
import ReactorTesting
import WebSocketProtocol

@testable import Ringcast

/// A client of HTTP/2 on a simulated connection: it says, frame by frame, what the test wants, and sorts what comes by
/// streams.
final class HTTP2Peer {
    /// What has come of a stream.
    struct Answer {
        var heads: [[String]] = []
        var body: [UInt8] = []
        /// Whether the server has ended its side in good order.
        var isWhole = false
        /// The code of its reset.
        var reset: UInt32?
        /// So much more the server lets be sent.
        var credit = 0

        var text: String { String(decoding: body, as: UTF8.self) }
        /// The fields of the final answer.
        var fields: [String] { heads.last ?? [] }
        var status: String { fields.first ?? "" }
    }

    let peer: SimulatedPeer
    private unowned let server: SimulatedServer
    private(set) var answers: [UInt32: Answer] = [:]
    /// Frames of the connection itself.
    private(set) var frames: [SentFrame] = []
    private var unread: [UInt8] = []
    private let reader = BlockReader()
    private var nextStream: UInt32 = 1

    /// Connects, and says hello.
    /// - Parameters:
    ///   - window: of each stream, what the server may send before it is given more.
    ///   - greets: whether that is done at once.
    init(_ server: SimulatedServer, window: UInt32 = 1 << 30, greets: Bool = true) {
        self.server = server
        peer = server.connect()
        if greets { say(Self.hello(window: window)) }
    }

    static func hello(window: UInt32) -> [UInt8] {
        Frames.preface + Frames.frame(.settings, Frames.setting(4, window)) + Frames.windowUpdate(0, 1 << 30)
    }

    /// Sends bytes, and takes what they lead to.
    func say(_ bytes: [UInt8]) {
        peer.send(bytes)
        server.rest()
        collect()
    }

    /// Sends a request, or its head, and returns its stream.
    @discardableResult
    func ask(_ fields: [(String, String)] = Frames.get, hasBody: Bool = false) -> UInt32 {
        let stream = takeStream()
        say(Frames.request(stream, fields, hasBody: hasBody))
        return stream
    }

    /// The number of the next stream.
    func takeStream() -> UInt32 {
        defer { nextStream += 2 }
        return nextStream
    }

    func get(_ path: String) -> Answer {
        let stream = ask(Self.fields("GET", path))
        return self[stream]
    }

    /// A request's fields.
    static func fields(_ method: String, _ path: String, _ more: [(String, String)] = []) -> [(String, String)] {
        [(":method", method), (":scheme", "http"), (":authority", "a.example"), (":path", path)] + more
    }

    static func webSocket(_ path: String = "/", _ more: [(String, String)] = []) -> [(String, String)] {
        [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":authority", "a.example")]
            + [(":path", path), ("sec-websocket-version", "13")] + more
    }

    /// Opens a WebSocket.
    func open(_ path: String = "/", _ more: [(String, String)] = []) -> UInt32 {
        ask(Self.webSocket(path, more), hasBody: true)
    }

    /// Sends a frame of WebSocket's on its stream.
    func send(_ opcode: Opcode, _ payload: [UInt8] = [], on stream: UInt32) {
        say(Frames.data(stream, SocketClient.encode(opcode, payload)))
    }

    func send(_ text: String, on stream: UInt32) { send(.text, Array(text.utf8), on: stream) }

    /// The whole frames of WebSocket's that have come on a stream since the last call.
    func socketFrames(_ stream: UInt32) -> [SocketClient.Frame] {
        collect()
        return SocketClient.Frame.takeWhole(from: &answers[stream, default: Answer()].body)
    }

    func texts(_ stream: UInt32) -> [String] {
        socketFrames(stream).filter { $0.opcode == .text }.map { String(decoding: $0.payload, as: UTF8.self) }
    }

    subscript(stream: UInt32) -> Answer {
        collect()
        return answers[stream] ?? Answer()
    }

    /// The code of the server's GOAWAY; nil while there is none.
    var goodbye: UInt32? {
        collect()
        return frames.last { $0.kind == Frames.Kind.goAway.rawValue }.map { $0.errorCode }
    }

    func collect() {
        unread += peer.takeReceivedBytes()
        for frame in SentFrame.takeWhole(from: &unread) { note(frame) }
    }

    private func note(_ frame: SentFrame) {
        guard frame.stream > 0 else {
            frames.append(frame)
            return
        }
        var answer = answers[frame.stream] ?? Answer()
        switch Frames.Kind(rawValue: frame.kind) {
        case .headers: answer.heads.append(reader.read(frame.payload))
        case .data: answer.body += frame.payload
        case .reset: answer.reset = frame.errorCode
        case .windowUpdate: answer.credit += Int(frame.payload.reduce(0) { $0 << 8 | UInt32($1) })
        default: break
        }
        if frame.kind <= 1, frame.flags & 1 != 0 { answer.isWhole = true }
        answers[frame.stream] = answer
    }
}

extension SimulatedServer {
    /// A server that speaks HTTP/2.
    static func http2(
        _ change: (inout ServerConfiguration) -> Void = { _ in },
        fetch: @escaping @Sendable (borrowing Request) throws -> Reply
    ) -> SimulatedServer {
        SimulatedServer(
            {
                $0.http2 = HTTP2Options()
                change(&$0)
            }, fetch: fetch)
    }
}
