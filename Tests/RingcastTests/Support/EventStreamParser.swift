/// Parses a stream of events as a browser does (HTML §9.2.6, "Interpreting an event stream").
struct EventStreamParser {
    struct Event: Hashable {
        var type = "message"
        var data: String
    }

    private(set) var events: [Event] = []
    /// Lines that begin with a colon.
    private(set) var commentCount = 0
    /// What a client that comes again names as `Last-Event-ID`.
    private(set) var lastID = ""
    /// What each event was told of as its id.
    private(set) var ids: [String] = []
    private var line: [UInt8] = []
    private var previous: UInt8 = 0
    private var type = ""
    private var data: [String] = []

    /// The events of a stream that ends here.
    static func events(in bytes: some Sequence<UInt8>) -> [Event] {
        var parser = EventStreamParser()
        parser.read(bytes)
        return parser.events
    }

    /// Reads what has come.
    mutating func read(_ bytes: some Sequence<UInt8>) {
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\n") where previous == UInt8(ascii: "\r"): break
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"): lineEnds()
            default: line.append(byte)
            }
            previous = byte
        }
    }

    private mutating func lineEnds() {
        defer { line = [] }
        guard !line.isEmpty else { return dispatch() }
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        var value = line[colon...].dropFirst()
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        switch String(decoding: line[..<colon], as: UTF8.self) {
        case "": commentCount += 1
        case "data": data.append(String(decoding: value, as: UTF8.self))
        case "id": lastID = String(decoding: value, as: UTF8.self)
        case "event": type = String(decoding: value, as: UTF8.self)
        default: break
        }
    }

    private mutating func dispatch() {
        if !data.isEmpty {
            ids.append(lastID)
            events.append(Event(type: type.isEmpty ? "message" : type, data: data.joined(separator: "\n")))
        }
        (type, data) = ("", [])
    }
}
