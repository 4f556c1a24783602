import Ringcast

/// How Redis sends a history's message: `hEPOCH.OFFSET `, then the message.
struct RedisHistoryEnvelope {
    let position: Position
    let message: [UInt8]

    /// Nil for any other message.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard unsafe bytes.first == UInt8(ascii: "h"),
            let space = unsafe bytes.prefix(48).firstIndex(of: UInt8(ascii: " ")),
            let position = unsafe Position(String(decoding: bytes[1..<space], as: UTF8.self))
        else { return nil }
        self.position = position
        message = unsafe [UInt8](bytes[(space + 1)...])
    }
}
