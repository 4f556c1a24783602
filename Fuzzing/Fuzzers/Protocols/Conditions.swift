import FuzzSupport
import HTTPProtocol

/// What a request makes its answer depend on, and which part of it it wants: a line for each field.
enum Conditions {
    static func run(_ input: inout FuzzInput) {
        let methods: [RequestConditions.Method] = [.get, .head, .other]
        var conditions = RequestConditions(method: input.element(of: methods))
        let representation = Representation(
            tag: EntityTag("a", isWeak: input.bool()), modified: HTTPDate(secondsSince1970: 784_111_777),
            byteCount: input.number(below: 20))
        conditions.ifMatch = line(&input)
        conditions.ifNoneMatch = line(&input)
        conditions.ifModifiedSince = line(&input)
        conditions.ifUnmodifiedSince = line(&input)
        conditions.ifRange = line(&input)
        conditions.range = line(&input)
        check(conditions, representation)
        for value in [conditions.ifModifiedSince, conditions.ifUnmodifiedSince, conditions.ifRange] {
            if let value { checkDate(value) }
        }
    }

    /// A field's value; nil for an empty line.
    private static func line(_ input: inout FuzzInput) -> String? {
        let bytes = input.take(until: UInt8(ascii: "\n"))
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }

    private static func check(_ conditions: RequestConditions, _ representation: Representation) {
        let selection = conditions.selection(of: representation, now: now)
        var unconditional = conditions
        unconditional.range = nil
        switch selection {
        case .part(let range):
            require(conditions.method == .get, "a part that GET has not asked for")
            require(!range.isEmpty && range.lowerBound >= 0, "a part of nothing")
            require(range.upperBound <= representation.byteCount, "a part behind the end")
        case .unsatisfiable: require(conditions.method == .get, "a part that GET has not asked for")
        case .notModified, .preconditionFailed:
            require(conditions.method != .other, "another method was judged")
            require(unconditional.selection(of: representation, now: now) == selection, "a range changes conditions")
        case .whole: break
        }
    }

    private static func checkDate(_ text: String) {
        guard let date = HTTPDate(parsing: text, now: now) else { return }
        require(HTTPDate(parsing: date.description, now: now) == date, "a date is not read as it is written")
    }

    private static let now = HTTPDate(secondsSince1970: 1_796_000_000)
}
