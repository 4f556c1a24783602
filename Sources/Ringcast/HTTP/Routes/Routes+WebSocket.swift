import HTTPProtocol
import WebSocketProtocol

extension Routes {
    /// Makes WebSockets of requests that ask for one; a plain GET gets 426, unless a route of GET has the path too.
    /// - Parameters:
    ///   - path: as `Routes` says.
    ///   - handlers: what kind of socket it becomes.
    ///   - subprotocol: used if the client offers it; nil takes the first of the configuration's that it offers.
    ///   - options: what is asked of a request before.
    ///   - data: makes what `ws.data` starts as. Nil refuses the request with 403, a `Reply` that is thrown with that.
    ///     Called on the connection's loop; it must not block.
    public mutating func webSocket<ConnectionData>(
        _ path: String, _ handlers: WebSocketHandlers<ConnectionData>, subprotocol: String? = nil,
        options: RouteOptions = RouteOptions(),
        data: @escaping @Sendable (borrowing Request) throws -> sending ConnectionData?
    ) {
        add(.webSocket, path, options) { request in
            if let refusal = Self.refusalOfPlain(request) { return refusal }
            guard let data = try data(request) else { return .response(.forbidden) }
            return .upgrade(to: handlers, with: data, subprotocol: subprotocol)
        }
    }

    /// Makes WebSockets without data of requests that ask for one.
    public mutating func webSocket(
        _ path: String, _ handlers: WebSocketHandlers<Void>, subprotocol: String? = nil,
        options: RouteOptions = RouteOptions()
    ) {
        webSocket(path, handlers, subprotocol: subprotocol, options: options) { _ in () }
    }

    /// Makes WebSockets of requests that ask for one, once it is known what their data starts as.
    /// - Parameters:
    ///   - path: as `Routes` says.
    ///   - handlers: what kind of socket it becomes.
    ///   - timeout: how long `data` may take; over it 503.
    ///   - subprotocol: as in the other form.
    ///   - options: what is asked of a request before.
    ///   - data: as in the other form, but in a task on the connection's loop, which `await` frees. It is cancelled
    ///     when the client has left, as `Reply.deferred` says.
    public mutating func webSocket<ConnectionData>(
        _ path: String, _ handlers: WebSocketHandlers<ConnectionData>, within timeout: Duration,
        subprotocol: String? = nil, options: RouteOptions = RouteOptions(),
        data: @escaping @Sendable (RequestCopy) async throws -> sending ConnectionData?
    ) {
        add(.webSocket, path, options) { request in
            if let refusal = Self.refusalOfPlain(request) { return refusal }
            let copy = request.copy()
            return .deferred(within: timeout) {
                guard let data = try await data(copy) else { return .response(.forbidden) }
                return .upgrade(to: handlers, with: data, subprotocol: subprotocol)
            }
        }
    }

    /// What a request that asks for no WebSocket is told; nil for one that does.
    private static func refusalOfPlain(_ request: borrowing Request) -> Reply? {
        guard !request.isWebSocketUpgrade else { return nil }
        do throws(HandshakeRefusal) {
            _ = try Handshake.accept(HandshakeRequest(request), originPolicy: .any)
            return nil
        } catch {
            return Reply(kind: .response(Response(error)))
        }
    }
}
