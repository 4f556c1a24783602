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
        guard url.isSecure else { return sendRequest(on: connection) }
        phase = .tls
        do {
            guard let client = try tls?.get() else { return fail(.tls("the request was made without TLS")) }
            if !connection.startTLS(client, host: url.host) { fail(.connectionLost(.tls)) }
        } catch {
            fail(error)
        }
    }

    /// TLS has failed. What it still has to say to the server goes out, and then the connection ends by itself.
    func securingFailed(_ connection: Connection, _ reason: String) {
        racing = []
        unsafe connection.context = nil
        fail(.tls(reason))
    }

    /// The answer is a refusal, as complete as it is going to be.
    func refused(_ refusal: RefusalCollector) {
        fail(phase == .proxy ? .proxyRefused(refusal.answer) : .refused(refusal.answer))
    }
}
