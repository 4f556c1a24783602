/// What clients send. The masks are all zeroes: unmasking costs what it always does.
enum Frames {
    static func upgrade(path: String) -> [UInt8] {
        let lines = [
            "GET \(path) HTTP/1.1", "Host: 127.0.0.1", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
        ]
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }

    /// Binary messages of so many bytes, fewer than 126, one behind the other.
    static func message(_ size: Int, times count: Int) -> [UInt8] {
        let frame: [UInt8] = [0x82, 0x80 | UInt8(size), 0, 0, 0, 0] + Array(repeating: 0x78, count: size)
        return Array(repeatElement(frame, count: count).joined())
    }

    /// The beginning of the closing handshake, with 1000.
    static let close: [UInt8] = [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8]
}
