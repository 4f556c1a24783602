/// What the standard library says of bytes as UTF-8.
enum ReferenceText {
    static func isValid(_ bytes: some Collection<UInt8>) -> Bool { String(validating: bytes, as: UTF8.self) != nil }

    /// Whether something can follow that makes it valid.
    static func isBeginning(_ bytes: [UInt8]) -> Bool {
        if isValid(bytes) { return true }
        // The last character begins at the last byte that continues none.
        guard let start = bytes.lastIndex(where: { $0 & 0xC0 != 0x80 }), isValid(bytes[..<start]) else { return false }
        return completions.contains { isValid(bytes[start...] + $0) }
    }

    /// For every character that is cut short one of these is right.
    private static let completions: [[UInt8]] = [
        [0x80], [0x80, 0x80], [0xBF, 0x80], [0x80, 0x80, 0x80], [0xBF, 0x80, 0x80],
    ]
}
