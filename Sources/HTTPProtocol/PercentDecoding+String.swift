extension PercentDecoding {
    /// The decoded text; a malformed escape stands for itself, and what is not UTF-8 is repaired.
    package static func decoded(_ text: String) -> String {
        let bytes = [UInt8](text.utf8)
        return unsafe string(0..<bytes.count, of: bytes.span.bytes, plusIsSpace: false)
    }
}
