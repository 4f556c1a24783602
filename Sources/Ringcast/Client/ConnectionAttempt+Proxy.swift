import HTTPProtocol
import Reactor
import WebSocketProtocol

/// Between the connection and the request: a proxy's tunnel, if there is one, then TLS, if it is asked for.
extension ConnectionAttempt {
    /// The host and port to connect to.
    var peer: (host: String, port: UInt16) {
        if let proxy = request.proxy { return (proxy.host, UInt16(truncatingIfNeeded: proxy.port)) }
        return (url.host, UInt16(truncatingIfNeeded: url.port))
    }

    /// The connection is there.
    func proceed(on connection: Connection) {
        guard let proxy = request.proxy, url.unixPath == nil else { return secure(connection) }
        phase = .proxy
        do {
            let bytes = try proxy.encodedRequest(to: url.authority)
            unsafe connection.send(bytes.span.bytes)
        } catch {
            fail(error)
        }
    }

    /// The proxy has answered.
    func proxyAnswered(_ head: ResponseHead, on connection: Connection) {
        if (200..<300).contains(head.status) { secure(connection) } else { refusal = RefusalCollector(head) }
    }

    /// The connection leads to the server.
    private func secure(_ connection: Connection) {
        sendRequest(on: connection)
    }

    /// The answer is a refusal, as complete as it is going to be.
    func refused(_ refusal: RefusalCollector) {
        fail(phase == .proxy ? .proxyRefused(refusal.answer) : .refused(refusal.answer))
    }
}
