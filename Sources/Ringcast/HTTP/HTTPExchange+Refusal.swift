import HTTPProtocol
import HTTPTypes
import Reactor

/// Refusal before the body: what a route says of a request by its head alone.
extension HTTPExchange {
    /// How a body that is announced or has begun is taken; nil if the request has been refused, and the connection
    /// closes.
    func acceptBody(
        _ layout: RequestHeadLayout, head: RawSpan, _ routes: RouteTable?, on connection: Connection
    ) -> BodyAcceptance? {
        let request = Request(
            head: RequestHead(bytes: head, layout: layout), body: head.extracting(first: 0),
            // Safe: the loop outlives what it answers.
            peer: unsafe .connection(connection.slot, .passUnretained(loop)))
        let reply: Reply
        do {
            let acceptance = try routes?.acceptBody(of: request, serverLimit: loop.limits.bodyBytes)
            return try (acceptance ?? .collected(upTo: loop.limits.bodyBytes)).judged(by: layout.body)
        } catch {
            reply = replacement(for: error, thrownBy: "a route", path: request.path, on: connection)
        }
        if let failure = refuseBody(with: reply, RequestSummary(request), on: connection) {
            reportUnsendable(failure, path: request.path, on: connection)
        }
        return nil
    }

    /// Answers a request whose body is not wanted, and closes: what still comes of it is thrown away.
    /// - Returns: why it could not be sent, and 500 was; nil if it was sent.
    private func refuseBody(
        with reply: Reply, _ request: RequestSummary, on connection: Connection
    ) -> (any Error)? {
        var request = request
        request.keepsAlive = false
        if let observer = reply.observer { request.observers = [observer] }
        guard case .response(let response) = reply.kind else {
            respond(.internalServerError, to: request, on: connection)
            return UnfitRefusal()
        }
        return respond(response, to: request, on: connection)
    }

    /// A reply to a head alone that is none.
    private struct UnfitRefusal: Error, CustomStringConvertible {
        var description: String { "a request can be refused before its body by a response only" }
    }
}
