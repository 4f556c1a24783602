import HTTP2Protocol
import HTTP2Testing

/// A server's connection in a test: what it was given and what it says, in forms that can be compared.
final class Server {
    /// What has happened, with the bytes of data instead of their places; pieces of one stream's data are joined.
    enum Happening: Equatable {
        case request(String, HTTP2StreamID, hasBody: Bool)
        case oversized(HTTP2StreamID)
        case data([UInt8], HTTP2StreamID)
        case end(HTTP2StreamID)
        case closed(HTTP2StreamID, HTTP2ErrorCode)
        case goAway(HTTP2ErrorCode)
        case failed(HTTP2ErrorCode)
    }

    let connection: HTTP2Connection
    private(set) var happenings: [Happening] = []
    private(set) var heads: [HTTP2Head] = []
    /// Frames that were sent, and the bytes of bodies that were announced behind their headers.
    private(set) var sent: [UInt8] = []
    /// The bodies that wait to be sent, by streams.
    var bodies: [HTTP2StreamID: [UInt8]] = [:]
    private let reader = BlockReader()
    var now: UInt64 = 1_000_000

    init(_ limits: HTTP2Limits = HTTP2Limits()) { connection = HTTP2Connection(limits: limits) }

    /// A server whose client has said hello, and knows its settings.
    static func greeted(_ limits: HTTP2Limits = HTTP2Limits()) -> Server {
        let server = Server(limits)
        server.receive(Frames.hello)
        server.send()
        server.receive(Frames.frame(.settings, flags: 1))
        server.sent = []
        return server
    }

    /// Gives it bytes in pieces of at most so many.
    func receive(_ bytes: [UInt8], piece: Int = .max) {
        var position = 0
        while position < bytes.count {
            let end = min(bytes.count, piece == .max ? bytes.count : position + piece)
            let part = Array(bytes[position..<end])
            unsafe connection.receive(part.span.bytes, now: now)
            note(connection.takeEvents(), of: part)
            position = end
        }
    }

    /// Lets all leave that may.
    func send() {
        while connection.sendNext(
            frames: { bytes in unsafe bytes.withUnsafeBytes { unsafe sent.append(contentsOf: $0) } },
            data: { frame in
                let header = frame.header
                for index in header.indices { sent.append(header[index]) }
                sent += bodies[frame.stream, default: []].prefix(frame.byteCount)
                bodies[frame.stream]?.removeFirst(frame.byteCount)
            })
        {}
        note(connection.takeEvents(), of: [])
    }

    /// The frames that have been sent since the last call.
    func takeSent() -> [SentFrame] {
        send()
        defer { sent = [] }
        return SentFrame.all(in: sent)
    }

    func fields(of frame: SentFrame) -> [String] { reader.read(frame.payload) }

    /// Answers 200 with a body.
    func answer(_ stream: HTTP2StreamID, _ body: [UInt8], isWhole: Bool = true) {
        connection.respond(to: stream, status: 200, fields: [], hasBody: true)
        bodies[stream, default: []] += body
        connection.queue(body.count, on: stream)
        if isWhole { connection.finish(stream) }
    }

    private func note(_ events: [HTTP2Event], of input: [UInt8]) {
        for event in events {
            switch event {
            case .request(let head, let stream, let hasBody):
                heads.append(head)
                happenings.append(.request(String(decoding: head.bytes, as: UTF8.self), stream, hasBody: hasBody))
            case .oversizedRequest(let stream): happenings.append(.oversized(stream))
            case .data(let range, let stream):
                if case .data(let before, stream)? = happenings.last {
                    happenings[happenings.count - 1] = .data(before + input[range], stream)
                } else {
                    happenings.append(.data(Array(input[range]), stream))
                }
            case .end(let stream): happenings.append(.end(stream))
            case .closed(let stream, let code): happenings.append(.closed(stream, code))
            case .goAway(let code): happenings.append(.goAway(code))
            case .failed(let failure): happenings.append(.failed(failure.code))
            }
        }
    }
}

extension [SentFrame] {
    func of(_ kind: Frames.Kind) -> [SentFrame] { filter { $0.kind == kind.rawValue } }
}
