import HTTPProtocol
import Reactor
import WebSocketProtocol

/// Between the connection and the request: a proxy's tunnel, if there is one, then TLS, if it is asked for.
extension ConnectionAttempt {
    /// The host and port to connect to.
    var peer: (host: String, port: Int) {
        if let proxy = request.proxy { return (proxy.hostname, proxy.port) }
        return (url.hostname, url.port)
    }

    /// Goes on with a connection that is there: asks the proxy, if there is one.
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

    /// Judges the proxy's answer. Behind a 2xx the tunnel begins (RFC 9110 §9.3.6), and a server, whether it speaks TLS
    /// or HTTP, says nothing before it is asked: bytes that come before that are not its answer.
    func proxyAnswered(_ head: ResponseHead, isLast: Bool, on connection: Connection) {
        guard (200..<300).contains(head.status) else { return refusal = RefusalCollector(head) }
        guard isLast else { return failOnAnswer("bytes came behind it before the server was asked") }
        secure(connection)
    }

    /// Starts TLS, if it is asked for, on a connection that leads to the server.
    private func secure(_ connection: Connection) {
        guard url.isSecure else { return sendRequest(on: connection) }
        phase = .tls
        do {
            guard let client = try tls?.get() else { return fail(.tls("the request was made without TLS")) }
            if !connection.startTLS(client, hostname: url.hostnameWithoutZone) { fail(.connectionLost(.tls)) }
        } catch {
            fail(error)
        }
    }

    /// Fails, since TLS has. What TLS still has to say to the server goes out, and then the connection ends by itself.
    func securingFailed(_ connection: Connection, _ reason: String) {
        racing = []
        unsafe connection.context = nil
        fail(.tls(reason))
    }

    /// Fails with a refusal that is as complete as it is going to be.
    func refused(_ refusal: RefusalCollector) {
        fail(phase == .proxy ? .proxyRefused(refusal.answer) : .refused(refusal.answer))
    }
}
