// HTTPProtocol: HTTP/1.0 and 1.1 (RFC 9110, 9112) as functions of bytes: no I/O, no clock, no connection, and of
// WebSocket no more than the heads of its handshake. What proxies could read in two ways is refused.
//
// A server reads requests with `RequestHeadParser` (line by line in its extensions; `RequestFacts` judges what the
// fields say together) and `BodyDecoder`, looks into them through `RequestHead`, and answers with `ResponseEncoder`. A
// client writes with `RequestEncoder` and reads with `ResponseHeadParser`.

/// What is known of a request head after all bytes so far.
package enum HeadResult: Hashable, Sendable {
    /// More bytes are needed.
    case incomplete
    case complete(RequestHeadLayout)
    /// A head that is not served: to be answered, then the connection is closed. The parser must not be asked again.
    case refused(HTTPRefusal)
}

/// Finds the head of an HTTP/1 request in what was received, and checks all of it (RFC 9112 §2–§5).
///
/// Every byte is looked at once, in whatever pieces it arrives, so a head that drips in byte by byte costs linear time.
/// The verdict is a function of the bytes alone, not of how they were split. Does not allocate.
package struct RequestHeadParser: Sendable {
    /// What the byte at `position` belongs to.
    enum Stage: Sendable {
        case emptyLine, emptyLineEnd
        case method, target, version, requestLineEnd
        case fieldStart, fieldName, fieldValue, fieldEnd
        case headEnd
    }

    /// Empty lines that are skipped before a request line (RFC 9112 §2.2): old clients send one behind a body.
    static let maximumEmptyLines = 4

    let limits: RequestLimits
    /// Whether a body follows, although no field frames it.
    private let bodyFollows: Bool
    var stage = Stage.emptyLine
    /// The next byte to look at.
    var position = 0
    /// Where the part that `stage` speaks of begins.
    var partStart = 0
    /// The name of the field whose value is being read.
    var fieldName = 0..<0
    var emptyLineCount = 0
    var fieldCount = 0
    var facts = RequestFacts()
    var layout = RequestHeadLayout()

    /// - Parameter bodyFollows: whether it is known that there is a body: where no field tells its length, it goes on
    ///   until its sender's end.
    package init(limits: RequestLimits = RequestLimits(), bodyFollows: Bool = false) {
        self.limits = limits
        self.bodyFollows = bodyFollows
    }

    /// Whether the method is HEAD, as far as is known: an answer that refuses the request has no body either then
    /// (RFC 9110 §9.3.2).
    package var isHead: Bool { layout.isHead }

    /// Looks at what is new in `bytes`, which is everything received from the first byte of this head on; bytes behind
    /// the head are left alone. After `.complete` the next request needs a new parser.
    package mutating func parse(_ bytes: RawSpan) -> HeadResult {
        // What lies behind the limit is not looked at, so that the limit does not depend on how the bytes were split.
        let head = bytes.extracting(first: min(bytes.byteCount, limits.headBytes))
        do throws(HTTPRefusal) {
            while position < head.byteCount {
                if try advance(in: head) { return .complete(layout) }
            }
        } catch {
            return .refused(error)
        }
        return head.byteCount == limits.headBytes ? .refused(.headTooLarge) : .incomplete
    }

    /// Goes on from `position` to the end of one part or of the bytes, and tells whether the head is complete.
    private mutating func advance(in bytes: RawSpan) throws(HTTPRefusal) -> Bool {
        switch stage {
        case .emptyLine: try readEmptyLine(bytes)
        case .emptyLineEnd: try readLineFeed(bytes, then: .emptyLine)
        case .method: try readMethod(bytes)
        case .target: try readTarget(bytes)
        case .version: try readVersion(bytes)
        case .requestLineEnd:
            try readLineFeed(bytes, then: .fieldStart)
            layout.fields = position..<position
        case .fieldStart: try readFieldStart(bytes)
        case .fieldName: try readFieldName(bytes)
        case .fieldValue: try readFieldValue(bytes)
        case .fieldEnd:
            let value = partStart..<(position - 1)
            try readLineFeed(bytes, then: .fieldStart)
            try facts.note(name: fieldName, value: value, in: bytes)
        case .headEnd:
            layout.fields = layout.fields.lowerBound..<(position - 1)
            try readLineFeed(bytes, then: .headEnd)
            layout.byteCount = position
            try facts.settle(&layout, limits: limits, bodyFollows: bodyFollows)
            return true
        }
        return false
    }

    /// RFC 9112 §2.2: a carriage return is never alone, and a line feed never ends a line by itself; proxies differ in
    /// what they make of either.
    private mutating func readLineFeed(_ bytes: RawSpan, then next: Stage) throws(HTTPRefusal) {
        guard bytes[position] == .lineFeed else { throw .malformed("a carriage return without a line feed") }
        begin(next, at: position + 1)
    }

    /// Enters `stage`, whose first byte is at `offset`.
    mutating func begin(_ stage: Stage, at offset: Int) {
        self.stage = stage
        position = offset
        partStart = offset
    }
}
