/// One field line of a head: where its name lies, and its value without the blanks around it.
struct FieldLine {
    var name: Range<Int>
    var value: Range<Int>
}

/// Walks over the field lines of a head that `RequestHeadParser` has accepted. Allocates nothing.
struct FieldLineCursor {
    private var position: Int
    private let end: Int

    init(_ layout: RequestHeadLayout) {
        position = layout.fields.lowerBound
        end = layout.fields.upperBound
    }

    mutating func next(in bytes: RawSpan) -> FieldLine? {
        guard let colon = bytes.firstOffset(of: UInt8(ascii: ":"), in: position..<end) else { return nil }
        let name = position..<colon
        // A value holds no control character but tabs, so the next control character is the line's end.
        let lineEnd = min(bytes.firstForbiddenControl(from: colon + 1), end)
        position = min(lineEnd + 2, end)
        return FieldLine(name: name, value: bytes.trimmed((colon + 1)..<lineEnd))
    }

    /// The value of the next line called `name`, which has to be given in lower case.
    mutating func nextValue(of name: String, in bytes: RawSpan) -> Range<Int>? {
        while let line = next(in: bytes) {
            if bytes.equals(line.name, ignoringCase: name) { return line.value }
        }
        return nil
    }
}
