/// What the standard library says of bytes as UTF-8.
enum ReferenceText {
    static func isValid(_ bytes: some Collection<UInt8>) -> Bool { String(validating: bytes, as: UTF8.self) != nil }

    /// Whether something can follow that makes it valid.
    static func isBeginning(_ bytes: some Collection<UInt8>) -> Bool {
        if isValid(bytes) { return true }
        return completions.contains { isValid(Array(bytes) + $0) }
    }

    /// For every character that is cut short one of these is right.
    private static let completions: [[UInt8]] = [
        [0x80], [0x80, 0x80], [0xBF, 0x80], [0x80, 0x80, 0x80], [0xBF, 0x80, 0x80],
    ]
}
