import HTTP2Protocol
import HTTPProtocol
import HTTPTypes
import Reactor

/// What is different for a stream of HTTP/2, and how a connection becomes one that has streams.
extension HTTPExchange {
    /// Sends a response on a stream of HTTP/2.
    func sendOnStream(_ response: Response, isHead: Bool, on connection: Connection) throws(UnsendableResponse) {
        let fields = try ResponseEncoder.list(
            status: response.status, fields: response.headers, framing: .length(response.body.count), isHead: isHead,
            date: loop.date.value(at: loop.now))
        let hasBody = !isHead && response.status.allowsBody && !response.body.isEmpty
        connection.http2Carrier?.respond(
            on: connection, status: response.status.code, fields: fields, hasBody: hasBody)
        if hasBody { unsafe connection.send(response.body.span.bytes) }
    }

    /// Sends the head of a streamed answer on a stream of HTTP/2.
    func sendOnStream(_ head: StreamHead, isHead: Bool, on connection: Connection) throws(UnsendableResponse) {
        let fields = try ResponseEncoder.list(
            status: head.status, fields: head.headers, framing: head.framing, isHead: isHead,
            date: loop.date.value(at: loop.now))
        connection.http2Carrier?.respond(
            on: connection, status: head.status.code, fields: fields, hasBody: !isHead && head.status.allowsBody)
    }

    /// What was sent to a stream is all that comes of the request: it is answered now if it has waited for the rest.
    func requestEnds(on connection: Connection) {
        if intake != nil { return endStreamedBody() }
        guard phase == .body, let request = collected.take() else { return }
        phase = .head
        answer(
            request.layout, head: unsafe request.head.span.bytes, body: unsafe request.body.span.bytes,
            isAccepted: request.judge === loop.application.routes, on: connection)
    }

    /// Whether the first bytes of a connection, which are no request of HTTP/1.1, are those of HTTP/2: only where it is
    /// served, and where there is no ALPN to say so (RFC 9113 §3.2, §3.3).
    func priorKnowledge(_ input: RawSpan, on connection: Connection) -> HTTP2Preface.Verdict {
        guard loop.core.configuration.http2 != nil, !isStream, !hasAnswered, !connection.isSecure else {
            return .http1
        }
        return HTTP2Preface.judge(input)
    }

    /// Gives the connection to a carrier, as of its first byte.
    func carry(_ connection: Connection) {
        guard let options = loop.core.configuration.http2 else { return }
        loop.release(self)
        loop.carry(connection, options)
    }
}
