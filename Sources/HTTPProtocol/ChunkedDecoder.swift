/// Takes a body of transfer coding `chunked` apart (RFC 9112 §7.1). Extensions and trailers are checked and skipped.
struct ChunkedDecoder: Sendable {
    /// What the next byte belongs to.
    private enum Phase: Sendable {
        case size, blankAfterSize, chunkExtension, sizeEnd
        case data, dataEnd, dataLineFeed
        case trailerStart, trailerName, trailerValue, trailerEnd
        case end
    }

    /// Digits of a chunk size that are read, leading zeros included.
    private static let maximumSizeDigits = 16
    /// Bytes of extensions and trailers that are skipped in all of a body. No client that is known sends any.
    private static let maximumSkippedBytes = 16 * 1024

    private var phase = Phase.size
    private var digitCount = 0
    /// The size of the current chunk while it is read, then what is still to come of it.
    private var remaining = 0
    /// Bytes of body that may still be announced.
    private var allowance: Int
    private var skippedBytes = 0

    init(limit: Int) {
        allowance = limit
    }

    /// As `BodyDecoder.next`, with refusals thrown.
    mutating func next(in input: RawSpan, at position: inout Int) throws(HTTPRefusal) -> BodyEvent? {
        while position < input.byteCount {
            if phase == .data {
                let count = min(remaining, input.byteCount - position)
                remaining -= count
                if remaining == 0 { phase = .dataEnd }
                defer { position += count }
                return .data(position..<(position + count))
            }
            let byte = input[position]
            position += 1
            if phase == .end {
                try requireLineFeed(byte)
                return .end
            }
            try read(byte)
        }
        return nil
    }

    /// One byte of the framing.
    private mutating func read(_ byte: UInt8) throws(HTTPRefusal) {
        switch phase {
        case .size, .blankAfterSize, .chunkExtension, .sizeEnd:
            try readSizeLine(byte)
        case .dataEnd:
            guard byte == .carriageReturn else { throw .malformed("a chunk is longer than its size") }
            phase = .dataLineFeed
        case .dataLineFeed:
            try requireLineFeed(byte)
            (phase, digitCount, remaining) = (.size, 0, 0)
        case .trailerStart, .trailerName, .trailerValue, .trailerEnd:
            try readTrailer(byte)
        case .data, .end:
            break
        }
    }

    /// `1*HEXDIG [ BWS ";" … ] CRLF`.
    private mutating func readSizeLine(_ byte: UInt8) throws(HTTPRefusal) {
        if phase == .size, let digit = byte.hexadecimalDigit { return try readDigit(digit) }
        switch (phase, byte) {
        case (.size, .carriageReturn) where digitCount > 0, (.chunkExtension, .carriageReturn):
            phase = .sizeEnd
        case (.size, UInt8(ascii: ";")) where digitCount > 0, (.blankAfterSize, UInt8(ascii: ";")):
            phase = .chunkExtension
        case (.size, .space) where digitCount > 0, (.size, .horizontalTab) where digitCount > 0,
            (.blankAfterSize, .space), (.blankAfterSize, .horizontalTab):
            try skip()
            phase = .blankAfterSize
        case (.chunkExtension, _) where !byte.isForbiddenControl:
            try skip()
        case (.sizeEnd, _):
            try requireLineFeed(byte)
            allowance -= remaining
            phase = remaining == 0 ? .trailerStart : .data
        default:
            throw .malformed("the chunk size is malformed")
        }
    }

    /// Refuses a size as soon as its leading digits are over what is left of the limit: it can only grow, and is far
    /// from overflowing then.
    private mutating func readDigit(_ digit: UInt8) throws(HTTPRefusal) {
        let (product, overflow) = remaining.multipliedReportingOverflow(by: 16)
        let (size, carry) = product.addingReportingOverflow(Int(digit))
        guard !overflow, !carry, size <= allowance else { throw .bodyTooLarge }
        guard digitCount < Self.maximumSizeDigits else { throw .malformed("the chunk size has too many digits") }
        remaining = size
        digitCount += 1
    }

    /// Field lines as in a head, up to an empty one (RFC 9112 §7.1.2).
    private mutating func readTrailer(_ byte: UInt8) throws(HTTPRefusal) {
        switch (phase, byte) {
        case (.trailerStart, .carriageReturn):
            phase = .end
        case (.trailerStart, _) where byte.isToken, (.trailerName, _) where byte.isToken:
            try skip()
            phase = .trailerName
        case (.trailerName, UInt8(ascii: ":")):
            phase = .trailerValue
        case (.trailerValue, .carriageReturn):
            phase = .trailerEnd
        case (.trailerValue, _) where !byte.isForbiddenControl:
            try skip()
        case (.trailerEnd, .lineFeed):
            phase = .trailerStart
        default:
            throw .malformed("a trailer is malformed")
        }
    }

    private mutating func skip() throws(HTTPRefusal) {
        guard skippedBytes < Self.maximumSkippedBytes else { throw .headTooLarge }
        skippedBytes += 1
    }

    private func requireLineFeed(_ byte: UInt8) throws(HTTPRefusal) {
        guard byte == .lineFeed else { throw .malformed("a carriage return without a line feed") }
    }
}
