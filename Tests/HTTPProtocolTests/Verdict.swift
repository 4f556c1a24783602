import HTTPProtocol
import HTTPTypes
import Testing

/// What a parser says of `text`, checked to be the same for the bytes as a whole, split at every place, and one by one.
func verdict(
    _ text: String, limits: RequestLimits = RequestLimits(), sourceLocation: SourceLocation = #_sourceLocation
) -> HeadResult {
    verdict(Array(text.utf8), limits: limits, sourceLocation: sourceLocation)
}

func verdict(
    _ bytes: [UInt8], limits: RequestLimits = RequestLimits(), sourceLocation: SourceLocation = #_sourceLocation
) -> HeadResult {
    let whole = parse(bytes, arriving: [bytes.count], limits: limits)
    for split in bytes.indices {
        let result = parse(bytes, arriving: [split, bytes.count], limits: limits)
        #expect(result == whole, "split at \(split)", sourceLocation: sourceLocation)
    }
    let single = parse(bytes, arriving: Array(0...bytes.count), limits: limits)
    #expect(single == whole, "byte by byte", sourceLocation: sourceLocation)
    return whole
}

/// Parses with one parser, given the first `counts[0]` bytes, then the first `counts[1]`, until it has a verdict.
func parse(_ bytes: [UInt8], arriving counts: [Int], limits: RequestLimits = RequestLimits()) -> HeadResult {
    var parser = RequestHeadParser(limits: limits)
    for count in counts {
        let result = parser.parse(bytes.rawSpan.extracting(first: count))
        if result != .incomplete { return result }
    }
    return .incomplete
}

extension HeadResult {
    /// The layout of a complete head.
    var layout: RequestHeadLayout? {
        if case .complete(let layout) = self { layout } else { nil }
    }

    /// The status a refused head is answered with; 0 when it is not refused.
    var refusedStatus: Int {
        if case .refused(let refusal) = self { refusal.status.code } else { 0 }
    }
}

/// Calls `body` with the head that `text` begins with.
func withHead<Value>(_ text: String, _ body: (RequestHead) throws -> Value) throws -> Value {
    let bytes = Array(text.utf8)
    let layout = try #require(verdict(bytes).layout)
    return try body(RequestHead(bytes: bytes.rawSpan, layout: layout))
}

extension [UInt8] {
    /// The bytes as the parsers take them.
    var rawSpan: RawSpan {
        @_lifetime(borrow self)
        get {
            // A byte has no padding that could be read uninitialized.
            unsafe span.bytes
        }
    }
}
