extension [UInt8] {
    /// Bytes written as hex digits, with spaces wherever they help to read: `[UInt8](hex: "81 85 37FA213D")`.
    init(hex text: String) {
        let digits = text.filter { !$0.isWhitespace }.map { UInt8($0.hexDigitValue!) }
        precondition(digits.count.isMultiple(of: 2), "half a byte")
        self = stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}

extension [UInt8] {
    var raw: RawSpan {
        // Safe: bytes have no padding.
        @_lifetime(borrow self) get { unsafe span.bytes }
    }
}

extension MutableSpan<UInt8> {
    var raw: MutableRawSpan {
        // Safe: any value of a byte is a byte.
        @_lifetime(&self) mutating get { unsafe mutableBytes }
    }
}
