import HTTPProtocol
import HTTPTypes
import Reactor
import WebSocketProtocol

/// What an answer has to know of its request when the request's bytes are gone.
struct RequestSummary {
    let isHead: Bool
    let isHTTP11: Bool
    let keepsAlive: Bool
    /// Frames may follow it; if it is not upgraded they cannot be told from requests.
    let mayHaveFramesBehind: Bool
    /// What an upgrade is judged by; nil where none can follow.
    let handshake: HandshakeRequest?

    init(_ request: borrowing Request, bytesBehind: Bool, withHandshake: Bool) {
        let layout = request.head.layout
        isHead = layout.isHead
        isHTTP11 = layout.isHTTP11
        keepsAlive = layout.keepsAlive
        mayHaveFramesBehind = layout.requestsUpgrade && bytesBehind
        handshake = withHandshake ? HandshakeRequest(request) : nil
    }
}

extension HandshakeRequest {
    init(_ request: borrowing Request) {
        self.init(
            method: request.method.rawValue, isHTTP11: request.head.layout.isHTTP11, host: request.host,
            upgrade: request.header(.upgrade), connection: request.header(.connection),
            key: request.header(.secWebSocketKey), version: request.header(.secWebSocketVersion),
            protocols: request.headers(.secWebSocketProtocol), origin: request.header(.origin),
            extensions: request.header(.secWebSocketExtensions), hasBody: request.head.layout.body != .none)
    }
}

extension HTTPExchange {
    /// Asks `fetch`, and does what it says.
    func answer(
        _ layout: RequestHeadLayout, head: RawSpan, body: RawSpan, bytesBehind: Bool, on connection: Connection
    ) {
        let request = Request(
            head: RequestHead(bytes: head, layout: layout), body: body,
            peer: .connection(ConnectionAddress(connection)))
        let reply: Reply
        do {
            reply = try loop.fetch(request)
        } catch {
            loop.core.logError("fetch threw: \(error)")
            reply = .response(.internalServerError, "Internal Server Error\n")
        }
        var mayUpgrade = true
        if case .response = reply.kind { mayUpgrade = false }
        give(reply, to: RequestSummary(request, bytesBehind: bytesBehind, withHandshake: mayUpgrade), on: connection)
    }

    private func give(_ reply: Reply, to request: RequestSummary, on connection: Connection) {
        switch reply.kind {
        case .response(let response): respond(response, to: request, on: connection)
        case .upgrade(let upgrade): perform(upgrade, for: request, on: connection)
        case .deferred(let body): wait(for: body, request, on: connection)
        }
    }

    /// Sends a response, and goes on to the next request or closes.
    func respond(_ response: Response, to request: RequestSummary, on connection: Connection) {
        let keepsAlive =
            request.keepsAlive && !request.mayHaveFramesBehind && !loop.core.hasBeenStopped && !inputHasEnded
            && !ResponseEncoder.asksToClose(response.headers)
        do throws(UnsendableResponse) {
            try send(
                response, keepAlive: keepsAlive, isHead: request.isHead, isHTTP11: request.isHTTP11, on: connection)
        } catch {
            loop.core.logError("a response cannot be sent: \(error)")
            return respond(
                Response(status: .internalServerError, text: "Internal Server Error\n"), to: request, on: connection)
        }
        if keepsAlive { awaitNextRequest(connection) } else { close(connection) }
    }

    /// Answers what cannot be served, and closes: what follows cannot be framed.
    func refuse(_ refusal: HTTPRefusal, on connection: Connection) {
        let response = Response(status: refusal.status, text: refusal.reason + "\n")
        // Its fields are ours: it can be sent.
        try? send(response, keepAlive: false, isHead: false, isHTTP11: true, on: connection)
        close(connection)
    }

    private func send(
        _ response: Response, keepAlive: Bool, isHead: Bool, isHTTP11: Bool, on connection: Connection
    ) throws(UnsendableResponse) {
        var output: [UInt8] = []
        output.reserveCapacity(256 + response.body.count)
        try ResponseEncoder.encode(
            status: response.status, fields: response.headers, body: unsafe response.body.span.bytes,
            keepAlive: keepAlive, isHead: isHead, isHTTP11: isHTTP11, date: loop.date.value(at: loop.now), into: &output
        )
        unsafe connection.send(output.span.bytes)
    }
}

extension HTTPExchange {
    /// Runs the user's task on this loop; the connection reads nothing meanwhile.
    private func wait(
        for body: @escaping @Sendable () async throws -> sending Reply, _ request: RequestSummary,
        on connection: Connection
    ) {
        phase = .deferred
        unsafe loop.counters.pointee.pendingRequests += 1
        connection.pauseReceiving()
        let executor = loop.loop.executor
        let exchange = LoopBound((self, request), executor: executor)
        task = Task(executorPreference: executor) {
            let reply: LoopBound<Result<Reply, any Error>>
            do {
                reply = try await LoopBound(.success(body()), executor: executor)
            } catch {
                reply = LoopBound(.failure(error), executor: executor)
            }
            // The loop may have ended meanwhile; then so has the connection.
            exchange.use { target in
                let (exchange, request) = target
                reply.use { exchange.deferredReplyIsReady($0, for: request) }
            }
        }
    }

    private func deferredReplyIsReady(_ result: Result<Reply, any Error>, for request: RequestSummary) {
        guard phase == .deferred, let connection else { return }
        phase = .head
        task = nil
        unsafe loop.counters.pointee.pendingRequests -= 1
        connection.resumeReceiving()
        switch result {
        case .success(let reply): give(reply, to: request, on: connection)
        case .failure(let error):
            loop.core.logError("a deferred reply threw: \(error)")
            respond(
                Response(status: .internalServerError, text: "Internal Server Error\n"), to: request, on: connection)
        }
    }
}
