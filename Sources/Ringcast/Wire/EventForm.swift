import PubSub
import Reactor
import WebSocketProtocol

/// The form in which a stream of server-sent events gets a published message (HTML §9.2.5, "Parsing an event stream").
enum EventForm {
    /// The shared log's form for events, behind those of `FrameForm`.
    static let number = FrameForm.count

    /// A line that says nothing, so that proxies do not take a quiet stream for a dead one (HTML §9.2.7).
    static let comment = [UInt8](":\n\n".utf8)

    /// What a new stream of a topic with history begins with: the position to go on from, as an event that nobody hears
    /// of; where it could not go on from the one that was named, as an event of type `gap`.
    static func beginning(at position: Position, behindGap: Bool) -> [UInt8] {
        [UInt8]((behindGap ? "id: \(position)\nevent: gap\ndata: gap\n\n" : "id: \(position)\n\n").utf8)
    }

    /// The event of a message: of text a `data` line for each of its lines, which end with LF, CR or both; of a binary
    /// message, since events are text, its base64 as an event of type `binary`. Its `id` is its position, which clients
    /// that come again name as `Last-Event-ID`.
    static func encode(_ frame: EncodedFrame, at position: Position? = nil) -> [UInt8] {
        let payload = unsafe frame.payload
        var event: [UInt8] = []
        event.reserveCapacity(payload.count + 64)
        if let position { event.append(contentsOf: "id: \(position)\n".utf8) }
        guard frame.opcode == .text else {
            event.append(contentsOf: "event: binary\ndata: \(Base64.encode(unsafe [UInt8](payload)))\n\n".utf8)
            return event
        }
        let (lf, cr) = (UInt8(ascii: "\n"), UInt8(ascii: "\r"))
        event.append(contentsOf: "data: ".utf8)
        var previous: UInt8 = 0
        let bytes = unsafe Span<UInt8>(_bytes: payload.bytes)
        for index in bytes.indices {
            let byte = bytes[index]
            switch byte {
            case lf where previous == cr: break
            case lf, cr: event.append(contentsOf: "\ndata: ".utf8)
            default: event.append(byte)
            }
            previous = byte
        }
        event.append(contentsOf: "\n\n".utf8)
        return event
    }
}

/// What a fan-out makes of its frame for subscribers that cannot simply get it, each once and for the first of them.
final class FrameRenditions {
    private var copy: [UInt8]?
    private var event: SharedBytes?
    private var eventCopy: [UInt8]?
    /// Where the message stands in its topic, if events are to say so.
    private let position: Position?

    init(copy: [UInt8]? = nil, position: Position? = nil) { (self.copy, self.position) = (copy, position) }

    static func made(_ renditions: inout FrameRenditions?) -> FrameRenditions {
        if let renditions { return renditions }
        let new = FrameRenditions()
        renditions = new
        return new
    }

    /// The frame as an event, in the loop's shared log. Used during the fan-out, in which no other event is written.
    func event(of frame: SharedBytes, on loop: SocketLoop) -> SharedBytes {
        if let event { return event }
        let bytes = EventForm.encode(unsafe EncodedFrame(frame.bytes), at: position)
        // Safe: the log gives room for exactly the event.
        let event = unsafe loop.eventLoop.share(bytes.count, in: EventForm.number) { room in
            unsafe bytes.withUnsafeBytes { unsafe room.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
        }
        self.event = event
        return event
    }

    /// A copy for the backlogs of sockets that are behind.
    func copy(of frame: SharedBytes, isEvent: Bool) -> [UInt8] {
        if let copy = isEvent ? eventCopy : copy { return copy }
        let bytes = unsafe [UInt8](frame.bytes)
        if isEvent { eventCopy = bytes } else { copy = bytes }
        return bytes
    }
}
