/// On what a request makes its answer depend, and which part of it it wants (RFC 9110 §13, §14): copied out of its
/// head, for answers that are made when the head is gone.
package struct RequestConditions: Hashable, Sendable {
    /// The methods that are told apart.
    package enum Method: Hashable, Sendable { case get, head, other }

    package var method: Method
    package var ifMatch: String?
    package var ifNoneMatch: String?
    package var ifModifiedSince: String?
    package var ifUnmodifiedSince: String?
    package var ifRange: String?
    package var range: String?

    package init(method: Method = .get) { self.method = method }

    /// One walk over the head; copies what is there.
    package init(_ head: borrowing RequestHead) {
        let isGet = head.bytes.equals(head.layout.method, "GET")
        self.init(method: isGet ? .get : head.layout.isHead ? .head : .other)
        var lines = FieldLineCursor(head.layout)
        while let line = lines.next(in: head.bytes) {
            guard let field = Self.field(line.name, in: head.bytes) else { continue }
            let value = head.bytes.string(line.value)
            // Repeated fields are one list; of those that are none it becomes a value that is none.
            self[keyPath: field] = self[keyPath: field].map { "\($0), \(value)" } ?? value
        }
    }

    private static func field(_ name: Range<Int>, in bytes: RawSpan) -> WritableKeyPath<Self, String?>? {
        switch name.count {
        case 5 where bytes.equals(name, ignoringCase: "range"): \.range
        case 8 where bytes.equals(name, ignoringCase: "if-match"): \.ifMatch
        case 8 where bytes.equals(name, ignoringCase: "if-range"): \.ifRange
        case 13 where bytes.equals(name, ignoringCase: "if-none-match"): \.ifNoneMatch
        case 17 where bytes.equals(name, ignoringCase: "if-modified-since"): \.ifModifiedSince
        case 19 where bytes.equals(name, ignoringCase: "if-unmodified-since"): \.ifUnmodifiedSince
        default: nil
        }
    }
}

/// A resource as it is when a request is judged by it.
package struct Representation: Sendable {
    package let tag: EntityTag
    package let modified: HTTPDate
    package let byteCount: Int

    package init(tag: EntityTag, modified: HTTPDate, byteCount: Int) {
        self.tag = tag
        self.modified = modified
        self.byteCount = byteCount
    }
}

/// What a request gets of a resource.
package enum Selection: Hashable, Sendable {
    /// 200, all of it.
    case whole
    /// 206, these bytes.
    case part(Range<Int>)
    /// 304: the client has it.
    case notModified
    /// 412: it is not what the client believes.
    case preconditionFailed
    /// 416: it has no such bytes.
    case unsatisfiable
}

extension RequestConditions {
    /// Judges the conditions in the order of RFC 9110 §13.2.2. Of a method that is neither GET nor HEAD the conditions
    /// are not looked at: what they are about is not for this to know.
    package func selection(of representation: Representation, now: HTTPDate) -> Selection {
        guard method != .other else { return .whole }
        func date(_ text: String) -> HTTPDate? { HTTPDate(parsing: text, now: now) }
        if let ifMatch {
            // What cannot be read matches nothing: the client does not get what it may not want.
            let matches = EntityTagList(ifMatch)?.contains(where: representation.tag.isStrongly) ?? false
            if !matches { return .preconditionFailed }
        } else if let limit = ifUnmodifiedSince.flatMap(date), representation.modified > limit {
            return .preconditionFailed
        }
        if let ifNoneMatch {
            let matches = EntityTagList(ifNoneMatch)?.contains(where: representation.tag.isWeakly) ?? false
            if matches { return .notModified }
        } else if let limit = ifModifiedSince.flatMap(date), representation.modified <= limit {
            return .notModified
        }
        // RFC 9110 §14.2: only GET has ranges. In nothing there are no parts.
        guard method == .get, representation.byteCount > 0, let range = range.flatMap(ByteRange.init),
            isRangeOf(representation, date)
        else { return .whole }
        return range.offsets(in: representation.byteCount).map { .part($0) } ?? .unsatisfiable
    }

    /// RFC 9110 §13.1.5: whether what the client has a part of is what there is, byte by byte.
    private func isRangeOf(_ representation: Representation, _ date: (String) -> HTTPDate?) -> Bool {
        guard let ifRange else { return true }
        if let list = EntityTagList(ifRange) {
            guard case .tags(let tags) = list, tags.count == 1 else { return false }
            return representation.tag.isStrongly(tags[0])
        }
        // A date is as good as the tag, which says whether a second change would have shown.
        return !representation.tag.isWeak && date(ifRange) == representation.modified
    }
}

extension HTTPDate: Comparable {
    package static func < (left: HTTPDate, right: HTTPDate) -> Bool {
        left.secondsSince1970 < right.secondsSince1970
    }
}
