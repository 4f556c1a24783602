import HTTPTypes

/// Finds the head of an HTTP/1 response in what was received, and checks all of it (RFC 9112 §2, §4, §5).
///
/// Every byte is looked at once, in whatever pieces it arrives, and once more when the head is complete. The verdict is
/// a function of the bytes alone, not of how they were split.
package struct ResponseHeadParser: Sendable {
    private let limits: RequestLimits
    /// The next byte to look at.
    private var position = 0
    private var lineStart = 0
    private var lines: [Range<Int>] = []
    /// Whether the byte before `position` is a carriage return, which a line feed has to follow.
    private var isBehindReturn = false

    /// - Parameter limits: of which `headBytes` and `fieldCount` count.
    package init(limits: RequestLimits = RequestLimits()) { self.limits = limits }

    /// Looks at what is new in `bytes`, which is everything received from the first byte of this head on; bytes behind
    /// the head are left alone. After `.complete` the next head needs a new parser.
    package mutating func parse(_ bytes: RawSpan) -> ResponseHeadResult {
        // What lies behind the limit is not looked at, so that the limit does not depend on how the bytes were split.
        let head = bytes.extracting(first: min(bytes.byteCount, limits.headBytes))
        do throws(MalformedResponse) {
            while position < head.byteCount {
                try checkBeginning(head)
                guard try readLine(head) else { continue }
                if let line = lines.last, line.isEmpty { return .complete(try assemble(head)) }
            }
            try checkBeginning(head)
        } catch {
            return .malformed(error.description)
        }
        return head.byteCount == limits.headBytes ? .malformed("its head is too large") : .incomplete
    }

    /// Finds out at once who does not speak HTTP/1, and not when the head does not end.
    private func checkBeginning(_ bytes: RawSpan) throws(MalformedResponse) {
        guard lines.isEmpty else { return }
        let expected: StaticString = "HTTP/1."
        let count = min(bytes.byteCount, expected.utf8CodeUnitCount)
        for offset in 0..<count {
            // Safe: within the literal.
            guard unsafe bytes[offset] == expected.utf8Start[offset] else {
                throw MalformedResponse("it is not HTTP/1")
            }
        }
    }

    /// Goes on to the end of a line or of the bytes, and tells whether a line has been read.
    private mutating func readLine(_ bytes: RawSpan) throws(MalformedResponse) -> Bool {
        if !isBehindReturn {
            position = bytes.firstForbiddenControl(from: position)
            guard position < bytes.byteCount else { return false }
            guard bytes[position] == .carriageReturn else {
                throw MalformedResponse("its head holds a control character")
            }
            position += 1
            isBehindReturn = true
            guard position < bytes.byteCount else { return false }
        }
        guard bytes[position] == .lineFeed else { throw MalformedResponse("a carriage return without a line feed") }
        isBehindReturn = false
        lines.append(lineStart..<position - 1)
        position += 1
        lineStart = position
        // The status line and the empty one at the end are no fields.
        guard lines.count <= limits.fieldCount + 2 else { throw MalformedResponse("it has too many fields") }
        return true
    }

    private func assemble(_ bytes: RawSpan) throws(MalformedResponse) -> ResponseHead {
        var head = try statusLine(bytes, lines[0])
        for line in lines.dropFirst().dropLast() { head.fields.append(try field(bytes, line)) }
        head.byteCount = position
        return head
    }

    /// `HTTP-version SP status-code SP [ reason-phrase ]`. Many servers leave out the last space with the phrase.
    private func statusLine(_ bytes: RawSpan, _ line: Range<Int>) throws(MalformedResponse) -> ResponseHead {
        let status = line.lowerBound + 9
        guard line.count >= 12, bytes[status - 1] == .space, line.count == 12 || bytes[status + 3] == .space,
            let minor = bytes[status - 2].decimalDigit, let hundreds = bytes[status].decimalDigit, hundreds > 0,
            let tens = bytes[status + 1].decimalDigit, let ones = bytes[status + 2].decimalDigit
        else { throw MalformedResponse("its status line is malformed") }
        let phrase = min(status + 4, line.upperBound)..<line.upperBound
        return ResponseHead(
            status: hundreds * 100 + tens * 10 + ones, reason: bytes.string(phrase), isHTTP11: minor >= 1, fields: [:],
            byteCount: 0)
    }

    /// `field-name ":" OWS field-value OWS`. Folded lines are refused (§5.2).
    private func field(_ bytes: RawSpan, _ line: Range<Int>) throws(MalformedResponse) -> HTTPField {
        let colon = bytes.endOfToken(from: line.lowerBound)
        guard colon > line.lowerBound, colon < line.upperBound, bytes[colon] == UInt8(ascii: ":"),
            let name = HTTPField.Name(bytes.string(line.lowerBound..<colon))
        else { throw MalformedResponse("a field line is malformed") }
        return HTTPField(name: name, value: bytes.string(bytes.trimmed(colon + 1..<line.upperBound)))
    }
}

private struct MalformedResponse: Error {
    let description: String
    init(_ description: String) { self.description = description }
}
