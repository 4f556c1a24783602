import HTTPProtocol
public import HTTPTypes
public import Ringcast
import WebSocketProtocol

/// Clients and requests. Where the network has a delay, `connect` and `request` let as much time pass as their bytes
/// need; else none.
extension TestServer {
    /// Opens a WebSocket.
    /// - Parameters:
    ///   - target: path and query, encoded as they go over the wire.
    ///   - headers: of the request, as a page or a program would send them. `Host` is `test` unless it is given.
    ///   - subprotocols: what the client offers, the one it likes best first.
    ///   - perMessageDeflate: what the client offers of compression. If that is agreed on, it compresses all it sends.
    ///   - address: the client's IP address, for `remoteAddress` and for what counts by it.
    ///   - loop: whose connection it is; by default clients are given to one loop after the other.
    /// - Throws: `refused` with the server's answer if that is another than 101; the other cases of `TestClientError`.
    public func connect(
        _ target: String = "/", headers: HTTPFields = [:], subprotocols: [String] = [],
        perMessageDeflate: PerMessageDeflate = false, from address: String = "127.0.0.1", on loop: Int? = nil
    ) throws(TestClientError) -> TestClient {
        let client = try beginConnecting(
            target, headers: headers, subprotocols: subprotocols, perMessageDeflate: perMessageDeflate, from: address,
            on: loop)
        _ = network.pass { client.isDecided }
        try client.check()
        return client
    }

    /// Asks for a WebSocket, and does not wait for the answer: for handlers that take their time to give it. The
    /// client's `isOpen` tells when it is there, and `opened()` waits for it.
    /// - Parameters: as those of `connect`.
    /// - Throws: what cannot be asked for.
    public func beginConnecting(
        _ target: String = "/", headers: HTTPFields = [:], subprotocols: [String] = [],
        perMessageDeflate: PerMessageDeflate = false, from address: String = "127.0.0.1", on loop: Int? = nil
    ) throws(TestClientError) -> TestClient {
        // The same nonce in every run.
        let handshake = ClientHandshake(
            nonce: [UInt8](repeating: 7, count: 16), subprotocols: subprotocols, perMessageDeflate: perMessageDeflate)
        var bytes: [UInt8] = []
        do {
            try RequestEncoder.encodeUpgrade(
                target: target, host: RequestWriter.host, key: handshake.key, subprotocols: subprotocols,
                extensions: perMessageDeflate.offer, fields: headers, into: &bytes)
        } catch {
            throw .invalidRequest("\(error)")
        }
        let place = try place(loop, address)
        let client = TestClient(network, loop: place.loop, address: place.address, handshake: handshake)
        client.transmit(bytes)
        rest()
        return client
    }

    /// Asks for something over HTTP, on a connection of its own.
    /// - Parameters:
    ///   - method: what to do with it.
    ///   - target: path and query, encoded as they go over the wire.
    ///   - headers: of the request. `Host` is `test` unless it is given; `Content-Length` is the body's.
    ///   - body: what is sent, as it is.
    ///   - address: the client's IP address, for `remoteAddress` and for what counts by it.
    ///   - loop: whose connection it is; by default they are given to one loop after the other.
    /// - Throws: a `TestClientError` where there is no whole answer. Statuses are no errors.
    public func request(
        _ method: HTTPRequest.Method = .get, _ target: String = "/", headers: HTTPFields = [:], body: [UInt8] = [],
        from address: String = "127.0.0.1", on loop: Int? = nil
    ) throws(TestClientError) -> TestResponse {
        let request = try beginRequest(method, target, headers: headers, body: body, from: address, on: loop)
        _ = network.pass { request.isDecided }
        return try request.result()
    }

    /// Asks for something over HTTP, with text for a body.
    public func request(
        _ method: HTTPRequest.Method = .get, _ target: String = "/", headers: HTTPFields = [:], body: String,
        from address: String = "127.0.0.1", on loop: Int? = nil
    ) throws(TestClientError) -> TestResponse {
        try request(method, target, headers: headers, body: Array(body.utf8), from: address, on: loop)
    }

    /// Asks for something over HTTP, and does not wait for the answer: for handlers that take their time, for answers
    /// that stream, and for clients that do not stay. `response` tells when it is there, and `answered()` waits for it.
    /// - Parameters: as those of `request`. Where the headers say how the body is framed (`Transfer-Encoding`,
    ///   `Content-Length`), `body` is its beginning, and `TestConnection.send(raw:)` its rest.
    /// - Throws: what cannot be asked for.
    public func beginRequest(
        _ method: HTTPRequest.Method = .get, _ target: String = "/", headers: HTTPFields = [:], body: [UInt8] = [],
        from address: String = "127.0.0.1", on loop: Int? = nil
    ) throws(TestClientError) -> TestRequest {
        let place = try place(loop, address)
        let request = TestRequest(network, loop: place.loop, address: place.address, isHead: method == .head)
        request.transmit(RequestWriter.encode(method, target, headers, body))
        rest()
        return request
    }
}
