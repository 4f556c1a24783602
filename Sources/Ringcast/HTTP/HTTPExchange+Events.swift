import HTTPProtocol
import HTTPTypes
import PubSub
import Reactor

extension HTTPExchange {
    /// Sends the head, and turns the connection into a stream of events.
    /// - Returns: why it could not be sent, and 500 was; nil if it was sent.
    func perform(
        _ events: EventsResponse, for request: RequestSummary, on connection: Connection
    ) -> (any Error)? {
        guard events.topic.isValid else {
            respond(.internalServerError, to: request, on: connection)
            return UnfitTopic()
        }
        guard !loop.core.hasBeenStopped else {
            respond(
                Response(status: .serviceUnavailable, text: "the server is stopping\n"), to: request, on: connection)
            return nil
        }
        // The end of the connection ends the stream: no chunks, and one form of an event for all clients.
        let head = StreamHead(
            status: .ok, headers: events.headers, framing: .endOfConnection,
            keepsAlive: request.isHead && keepsAlive(behind: events.headers, to: request))
        if let failure = send(head, to: request, on: connection) { return failure }
        if intake != nil {
            // What is left of the request's body is thrown away, and no reader makes room for it.
            endIntake(.answered)
            connection.resumeReceiving()
        }
        guard !request.isHead, !inputHasEnded else {
            if head.keepsAlive { awaitNextRequest(connection) } else { close(connection) }
            return nil
        }
        loop.release(self)
        loop.openEvents(of: events.topic, after: request.lastEvent, on: connection, path: request.path)
        return nil
    }

    private struct UnfitTopic: Error, CustomStringConvertible {
        var description: String { "a topic of events is empty or too long" }
    }
}
