public import PubSub
import WebSocketProtocol

/// How a topic's messages say their positions, which a subscriber that is to resume has to know. A message is stamped
/// once for all subscribers, on its topic's home loop; what is kept is the stamped form.
public struct Stamping: Sendable {
    enum Form: Sendable {
        case json
        case custom(@Sendable (OwnedMessage, Position) -> OwnedMessage)
    }

    let form: Form

    /// Adds `"position":"epoch.offset"` to text that is a JSON object, as its last member, which goes before any other
    /// of that name in the parsers of browsers. Other messages stay as they are published, without a position. Costs a
    /// copy.
    public static let json = Stamping(form: .json)

    /// Any other form: what the closure makes of a message. It runs in the middle of a publish, so it must not block,
    /// publish or send.
    public static func custom(_ stamp: @escaping @Sendable (OwnedMessage, Position) -> OwnedMessage) -> Stamping {
        Stamping(form: .custom(stamp))
    }

    /// Runs `body` with the stamped message.
    func withStamped<Result>(
        _ payload: UnsafeRawBufferPointer, as opcode: Opcode, _ position: Position,
        _ body: (UnsafeRawBufferPointer, Opcode) -> Result
    ) -> Result {
        switch form {
        case .json:
            guard opcode == .text, let bytes = unsafe Self.json(payload, position) else {
                return unsafe body(payload, opcode)
            }
            return unsafe bytes.withUnsafeBytes { unsafe body($0, opcode) }
        case .custom(let stamp):
            switch stamp(unsafe OwnedMessage(payload, as: opcode), position) {
            case .text(let text): return unsafe text.withPayload { unsafe body($0, .text) }
            case .binary(let bytes): return unsafe bytes.withUnsafeBytes { unsafe body($0, .binary) }
            }
        }
    }

    /// The object with one member more; nil for text that does not begin and end like an object.
    private static func json(_ text: UnsafeRawBufferPointer, _ position: Position) -> [UInt8]? {
        let (open, close) = (UInt8(ascii: "{"), UInt8(ascii: "}"))
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }
        guard let first = unsafe text.firstIndex(where: { !isBlank($0) }), unsafe text[first] == open,
            let last = unsafe text.lastIndex(where: { !isBlank($0) }), last > first, unsafe text[last] == close,
            let end = unsafe text[..<last].lastIndex(where: { !isBlank($0) })
        else { return nil }
        let member = (end == first ? "" : ",") + "\"position\":\"\(position)\"}"
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count + member.utf8.count)
        unsafe bytes.append(contentsOf: text[...end])
        bytes.append(contentsOf: member.utf8)
        return bytes
    }
}
