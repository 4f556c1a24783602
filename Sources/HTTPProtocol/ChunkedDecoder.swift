/// Takes a body of transfer coding `chunked` apart (RFC 9112 §7.1). Extensions and trailers are checked and skipped.
struct ChunkedDecoder: Sendable {
    /// What the next byte belongs to.
    private enum Stage: Sendable {
        case size, blankAfterSize, chunkExtension, sizeEnd
        case data, dataEnd, dataLineFeed
        case trailerStart, trailerName, trailerValue, trailerEnd
        case end
    }

    /// The most digits of a chunk size that are read, leading zeros included.
    private static let maximumSizeDigits = 16
    /// The most bytes of extensions and trailers that are skipped in all of a body. No client that is known sends any.
    private static let maximumSkippedBytes = 16 * 1024

    private var stage = Stage.size
    private var digitCount = 0
    /// The size of the current chunk while it is read, then what is still to come of it.
    private var remaining = 0
    /// Bytes of body that may still be announced.
    private var allowance: Int
    private var skippedBytes = 0

    init(limit: Int) { allowance = limit }

    /// Does what `BodyDecoder.next` says, but throws refusals.
    mutating func next(in input: RawSpan, at position: inout Int) throws(HTTPRefusal) -> BodyEvent? {
        while position < input.byteCount {
            if stage == .data {
                let count = min(remaining, input.byteCount - position)
                remaining -= count
                if remaining == 0 { stage = .dataEnd }
                defer { position += count }
                return .data(position..<(position + count))
            }
            let byte = input[position]
            position += 1
            if stage == .end {
                try requireLineFeed(byte)
                return .end
            }
            try read(byte)
        }
        return nil
    }

    /// Takes one byte of the framing.
    private mutating func read(_ byte: UInt8) throws(HTTPRefusal) {
        switch stage {
        case .size, .blankAfterSize, .chunkExtension, .sizeEnd:
            try readSizeLine(byte)
        case .dataEnd:
            guard byte == .carriageReturn else { throw .malformed("a chunk is longer than its size") }
            stage = .dataLineFeed
        case .dataLineFeed:
            try requireLineFeed(byte)
            (stage, digitCount, remaining) = (.size, 0, 0)
        case .trailerStart, .trailerName, .trailerValue, .trailerEnd:
            try readTrailer(byte)
        case .data, .end:
            break
        }
    }

    /// Takes a byte of `1*HEXDIG [ BWS ";" … ] CRLF`.
    private mutating func readSizeLine(_ byte: UInt8) throws(HTTPRefusal) {
        if stage == .size, let digit = byte.hexadecimalDigit { return try readDigit(digit) }
        switch (stage, byte) {
        case (.size, .carriageReturn) where digitCount > 0, (.chunkExtension, .carriageReturn):
            stage = .sizeEnd
        case (.size, UInt8(ascii: ";")) where digitCount > 0, (.blankAfterSize, UInt8(ascii: ";")):
            stage = .chunkExtension
        case (.size, .space) where digitCount > 0, (.size, .horizontalTab) where digitCount > 0,
            (.blankAfterSize, .space), (.blankAfterSize, .horizontalTab):
            try skip()
            stage = .blankAfterSize
        case (.chunkExtension, _) where !byte.isForbiddenControl:
            try skip()
        case (.sizeEnd, _):
            try requireLineFeed(byte)
            allowance -= remaining
            stage = remaining == 0 ? .trailerStart : .data
        default:
            throw .malformed("the chunk size is malformed")
        }
    }

    /// Takes a digit of a size, which is refused as soon as its leading digits are over what is left of the limit: it
    /// can only grow.
    private mutating func readDigit(_ digit: UInt8) throws(HTTPRefusal) {
        let (product, overflow) = remaining.multipliedReportingOverflow(by: 16)
        let (size, carry) = product.addingReportingOverflow(Int(digit))
        guard !overflow, !carry, size <= allowance else { throw .bodyTooLarge }
        guard digitCount < Self.maximumSizeDigits else { throw .malformed("the chunk size has too many digits") }
        remaining = size
        digitCount += 1
    }

    /// Takes a byte of the trailers: field lines as in a head, up to an empty one (RFC 9112 §7.1.2).
    private mutating func readTrailer(_ byte: UInt8) throws(HTTPRefusal) {
        switch (stage, byte) {
        case (.trailerStart, .carriageReturn):
            stage = .end
        case (.trailerStart, _) where byte.isToken, (.trailerName, _) where byte.isToken:
            try skip()
            stage = .trailerName
        case (.trailerName, UInt8(ascii: ":")):
            stage = .trailerValue
        case (.trailerValue, .carriageReturn):
            stage = .trailerEnd
        case (.trailerValue, _) where !byte.isForbiddenControl:
            try skip()
        case (.trailerEnd, .lineFeed):
            stage = .trailerStart
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
