import HTTP2Protocol
import HTTPProtocol
import HTTPTypes
import Reactor

extension HTTP2Carrier {
    /// Sends the head of an answer on a stream.
    /// - Parameter hasBody: whether bytes may follow, which the stream's connection queues.
    func respond(
        on stream: Connection, status: Int, fields: [ResponseEncoder.ListedField], hasBody: Bool
    ) {
        guard let entry = streams[stream.place], entry.isOpen, !entry.isAnswered else { return }
        streams[stream.place]?.isAnswered = true
        if !hasBody {
            streams[stream.place]?.isFinished = true
            if !entry.clientHasEnded { http2.refuseRest(of: entry.id) }
        }
        http2.respond(to: entry.id, status: status, fields: fields, hasBody: hasBody)
        connection.gatherAtTurnsEnd()
    }

    /// Gives leave to send a body (RFC 9110 §10.1.1).
    func sendContinue(on stream: Connection) {
        guard let entry = streams[stream.place] else { return }
        http2.inform(entry.id, status: 100)
        connection.gatherAtTurnsEnd()
    }

    /// Answers a request that gets no further than here.
    func answer(_ id: HTTP2StreamID, _ refusal: HTTPRefusal) {
        http2.refuseRest(of: id)
        http2.respond(
            to: id, status: refusal.status.code, fields: [("date", loop.date.value(at: loop.now))], hasBody: false)
        loop.events.responses.count(refusal.status)
        connection.gatherAtTurnsEnd()
    }
}
