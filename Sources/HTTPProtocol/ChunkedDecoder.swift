/// Takes a body of transfer coding `chunked` apart (RFC 9112 §7.1). Extensions and trailers are checked and skipped:
/// where parsers in a row differ about their ends, a request can be hidden in them.
struct ChunkedDecoder: Sendable {
    /// What the next byte belongs to.
    private enum Stage: Sendable {
        case size, sizeEnd
        case blankBeforeExtension, extensionStart, extensionName, blankBehindName
        case valueStart, tokenValue, quotedValue, quotedPair, quoteEnd
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
        case .size:
            try readSize(byte)
        case .blankBeforeExtension, .extensionStart, .extensionName, .blankBehindName, .valueStart, .tokenValue,
            .quotedValue, .quotedPair, .quoteEnd:
            try readExtension(byte)
        case .sizeEnd:
            try requireLineFeed(byte)
            allowance -= remaining
            stage = remaining == 0 ? .trailerStart : .data
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

    /// Takes a byte of `1*HEXDIG`, or the first behind it.
    private mutating func readSize(_ byte: UInt8) throws(HTTPRefusal) {
        if let digit = byte.hexadecimalDigit { return try readDigit(digit) }
        guard digitCount > 0 else { throw .malformed("the chunk size is malformed") }
        switch byte {
        case .carriageReturn: stage = .sizeEnd
        case UInt8(ascii: ";"): stage = .extensionStart
        case .space, .horizontalTab: stage = .blankBeforeExtension
        default: throw .malformed("the chunk size is malformed")
        }
    }

    /// Takes a byte of `*( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] ) CRLF` (RFC 9112 §7.1.1). A
    /// quoted string ends in its line: parsers that let it go on see other chunks than those that do not.
    private mutating func readExtension(_ byte: UInt8) throws(HTTPRefusal) {
        switch (stage, byte) {
        case (.extensionName, .carriageReturn), (.tokenValue, .carriageReturn), (.quoteEnd, .carriageReturn):
            stage = .sizeEnd
            return
        case (.blankBeforeExtension, UInt8(ascii: ";")), (.extensionName, UInt8(ascii: ";")),
            (.blankBehindName, UInt8(ascii: ";")), (.tokenValue, UInt8(ascii: ";")), (.quoteEnd, UInt8(ascii: ";")):
            stage = .extensionStart
        case (.extensionName, UInt8(ascii: "=")), (.blankBehindName, UInt8(ascii: "=")):
            stage = .valueStart
        case (.valueStart, UInt8(ascii: "\"")):
            stage = .quotedValue
        case (.quotedValue, UInt8(ascii: "\"")):
            stage = .quoteEnd
        case (.quotedValue, UInt8(ascii: "\\")):
            stage = .quotedPair
        case (.quotedValue, _) where !byte.isForbiddenControl, (.quotedPair, _) where !byte.isForbiddenControl:
            stage = .quotedValue
        case (.extensionStart, _) where byte.isToken, (.extensionName, _) where byte.isToken:
            stage = .extensionName
        case (.valueStart, _) where byte.isToken, (.tokenValue, _) where byte.isToken:
            stage = .tokenValue
        case (.blankBeforeExtension, _) where byte.isBlank, (.extensionStart, _) where byte.isBlank,
            (.blankBehindName, _) where byte.isBlank, (.valueStart, _) where byte.isBlank:
            break
        case (.extensionName, _) where byte.isBlank:
            stage = .blankBehindName
        case (.tokenValue, _) where byte.isBlank, (.quoteEnd, _) where byte.isBlank:
            stage = .blankBeforeExtension
        default:
            throw .malformed("a chunk extension is malformed")
        }
        try skip()
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
