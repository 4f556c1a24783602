/// What a WebSocket handshake is judged by (RFC 6455 §4.2.1), each as `RequestHead.header` gives it: found in one walk
/// over the lines, where eight look-ups would be eight.
package struct HandshakeFields {
    package private(set) var upgrade: String?
    package private(set) var connection: String?
    package private(set) var key: String?
    package private(set) var version: String?
    package private(set) var origin: String?
    package private(set) var extensions: String?
    /// The values of `Sec-WebSocket-Protocol`, one for each of its lines.
    package private(set) var subprotocols: [String] = []

    package init(_ head: borrowing RequestHead) {
        let bytes = head.bytes
        var lines = FieldLineCursor(head.layout)
        while let line = lines.next(in: bytes) { note(line, in: bytes) }
    }

    /// Names are told apart by their length first: most lines cost one comparison.
    private mutating func note(_ line: FieldLine, in bytes: RawSpan) {
        switch line.name.count {
        case 6 where bytes.equals(line.name, ignoringCase: "origin"): Self.add(line, to: &origin, in: bytes)
        case 7 where bytes.equals(line.name, ignoringCase: "upgrade"): Self.add(line, to: &upgrade, in: bytes)
        case 10 where bytes.equals(line.name, ignoringCase: "connection"): Self.add(line, to: &connection, in: bytes)
        case 17 where bytes.equals(line.name, ignoringCase: "sec-websocket-key"): Self.add(line, to: &key, in: bytes)
        case 21 where bytes.equals(line.name, ignoringCase: "sec-websocket-version"):
            Self.add(line, to: &version, in: bytes)
        case 22 where bytes.equals(line.name, ignoringCase: "sec-websocket-protocol"):
            subprotocols.append(bytes.string(line.value))
        case 24 where bytes.equals(line.name, ignoringCase: "sec-websocket-extensions"):
            Self.add(line, to: &extensions, in: bytes)
        default: break
        }
    }

    /// Several lines are one list (RFC 9110 §5.3).
    private static func add(_ line: FieldLine, to field: inout String?, in bytes: RawSpan) {
        let value = bytes.string(line.value)
        field = field.map { $0 + ", " + value } ?? value
    }
}
