import PubSub
import Reactor
import WebSocketProtocol

/// The form in which a stream of server-sent events gets a published message (HTML §9.2.5, "Parsing an event stream").
enum EventForm {
    /// The shared log's form for events, behind those of `FrameForm`.
    static let number = FrameForm.count

    /// A line that says nothing, so that proxies do not take a quiet stream for a dead one (HTML §9.2.7).
    static let comment = [UInt8](":\n\n".utf8)

    /// The event of a message: of text a `data` line for each of its lines, which end with LF, CR or both; of a binary
    /// message, since events are text, its base64 as an event of type `binary`.
    static func encode(_ frame: EncodedFrame) -> [UInt8] {
        let payload = unsafe frame.payload
        guard frame.opcode == .text else {
            return [UInt8]("event: binary\ndata: \(Base64.encode(unsafe [UInt8](payload)))\n\n".utf8)
        }
        let (lf, cr) = (UInt8(ascii: "\n"), UInt8(ascii: "\r"))
        var event: [UInt8] = []
        event.reserveCapacity(payload.count + 16)
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

    init(copy: [UInt8]? = nil) { self.copy = copy }

    static func made(_ renditions: inout FrameRenditions?) -> FrameRenditions {
        if let renditions { return renditions }
        let new = FrameRenditions()
        renditions = new
        return new
    }

    /// The frame as an event, in the loop's shared log. Used during the fan-out, in which no other event is written.
    func event(of frame: SharedBytes, on loop: SocketLoop) -> SharedBytes {
        if let event { return event }
        let bytes = EventForm.encode(unsafe EncodedFrame(frame.bytes))
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
