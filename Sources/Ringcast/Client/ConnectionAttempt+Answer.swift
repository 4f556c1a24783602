package import HTTPProtocol
import HTTPTypes
import Reactor
package import WebSocketProtocol

/// The request, and what the server says to it.
extension ConnectionAttempt {
    /// So many interim responses (1xx) are skipped before the answer.
    static let interimLimit = 8
    private static let redirects: Set<Int> = [301, 302, 303, 307, 308]

    func sendRequest(on connection: Connection) {
        phase = .answer
        do {
            let bytes = try request.encoded(for: handshake, at: url, isRedirected: isRedirected)
            unsafe connection.send(bytes.span.bytes)
        } catch {
            fail(error)
        }
    }

    /// Takes the bytes of the answer. Returns how many were consumed: an incomplete head is left, to come again in
    /// front of what follows it, and so are frames behind a head.
    func receive(_ bytes: RawSpan, on connection: Connection) -> Int {
        var position = 0
        while refusal == nil, isServing(connection), position < bytes.byteCount {
            switch parser.parse(bytes.extracting(droppingFirst: position)) {
            case .incomplete: return position
            case .malformed(let what): failOnAnswer(what)
            case .complete(let head):
                parser = .init()
                position += head.byteCount
                answered(head, isLast: position == bytes.byteCount, on: connection)
            }
        }
        if refusal != nil { collect(bytes.extracting(droppingFirst: position)) }
        if case .socket = ConnectionRole(connection) { return position }
        return isServing(connection) && refusal == nil ? position : bytes.byteCount
    }

    /// Whether the connection is still this attempt's: neither a socket yet, nor given up.
    private func isServing(_ connection: Connection) -> Bool {
        if case .outbound = ConnectionRole(connection) { true } else { false }
    }

    /// Fails, since the answer of whoever was asked last, the proxy or the server, is not one.
    func failOnAnswer(_ what: String) { fail(phase == .proxy ? .invalidProxyAnswer(what) : .invalidHandshake(what)) }

    /// - Parameter isLast: whether nothing has come behind the head yet.
    private func answered(_ head: ResponseHead, isLast: Bool, on connection: Connection) {
        switch head.status {
        case 101 where phase != .proxy: accept(head, on: connection)
        case let status where phase == .proxy && (status == 101 || status >= 200):
            proxyAnswered(head, isLast: isLast, on: connection)
        case 100..<200:
            interimCount += 1
            if interimCount > Self.interimLimit { failOnAnswer("too many interim responses") }
        case let status where Self.redirects.contains(status) && request.maxRedirects > 0: redirect(head)
        default:
            refusal = RefusalCollector(head)
        }
    }

    private func accept(_ head: ResponseHead, on connection: Connection) {
        do {
            let agreement = try handshake.check(HandshakeResponse(head))
            succeed(agreement, head.fields, on: connection)
        } catch {
            fail(.invalidHandshake("\(error)"))
        }
    }

    private func collect(_ bytes: RawSpan) {
        refusal?.take(bytes)
        if let refusal, refusal.isComplete { refused(refusal) }
    }

    /// Ends, since the server has sent its FIN.
    func inputEnded(_ connection: Connection) { ended() }

    /// Ends, since the connection is over before there was a socket.
    func ended() {
        if let refusal { refused(refusal) } else { fail(.connectionLost(phase)) }
    }

    private func redirect(_ head: ResponseHead) {
        guard let location = head.fields[.location] else {
            return fail(.invalidHandshake("a redirect without a Location"))
        }
        guard redirectsLeft > 0, let target = url.redirected(to: location) else { return fail(.badRedirect(location)) }
        redirectsLeft -= 1
        url = target
        handshake = ClientHandshake(
            subprotocols: handshake.subprotocols, perMessageDeflate: handshake.perMessageDeflate)
        giveUpConnections()
        begin()
    }
}

extension HandshakeResponse {
    package init(_ head: ResponseHead) {
        self.init(
            upgrade: head.fields[.upgrade], connection: head.fields[.connection],
            accept: head.fields[.secWebSocketAccept], subprotocol: head.fields[.secWebSocketProtocol],
            extensions: head.fields[.secWebSocketExtensions])
    }
}

/// A refusal, and what has come of its body: the first bytes, as many as are of use to a reader.
struct RefusalCollector {
    static let byteLimit = 1024

    private(set) var answer: RefusedHandshake
    private var decoder: BodyDecoder?
    private(set) var isComplete = false

    init(_ head: ResponseHead) {
        let status = HTTPResponse.Status(code: head.status, reasonPhrase: head.reason)
        answer = RefusedHandshake(status: status, headers: head.fields)
        if let framing = head.bodyFraming { decoder = BodyDecoder(framing: framing, limit: .max) }
    }

    mutating func take(_ bytes: RawSpan) {
        guard decoder != nil else { return append(bytes) }
        var position = 0
        while !isComplete, let event = decoder?.next(in: bytes, at: &position) {
            switch event {
            case .data(let range): append(bytes.extracting(range))
            case .end, .refused: isComplete = true
            }
        }
    }

    private mutating func append(_ bytes: RawSpan) {
        let room = Self.byteLimit - answer.body.count
        // Safe: copied before the closure returns.
        unsafe bytes.withUnsafeBytes { unsafe answer.body.append(contentsOf: $0.prefix(room)) }
        isComplete = answer.body.count >= Self.byteLimit
    }
}
