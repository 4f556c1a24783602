public import FoundationEssentials

/// What makes JSON of values, and values of JSON. Every function of this module takes one, by default `.foundation`.
///
/// Another library conforms in two lines. To use it everywhere, declare the few functions you need, under names of
/// your own, with it as their coding.
///
/// Called on any thread, on several at once, and on loops: it must not block, and what it costs, a loop's sockets wait
/// for.
public protocol JSONCoding: Sendable {
    /// A value's JSON, in UTF-8.
    /// - Throws: an `EncodingError` where the value has no JSON form.
    func encode(_ value: some Encodable) throws -> [UInt8]

    /// The value that some JSON is. `bytes` are borrowed, and not validated.
    /// - Throws: a `DecodingError` where they are no JSON, or none of that type.
    func decode<Value: Decodable>(_ type: Value.Type, from bytes: RawSpan) throws -> Value
}

/// JSON as `JSONEncoder` and `JSONDecoder` of FoundationEssentials have it. Costs two copies of the text, which is
/// little beside what they cost themselves.
public struct FoundationJSON: JSONCoding {
    private let encoder: JSONEncoder
    private let decoder: JSONDecoder

    /// With coders set up otherwise: keys, dates, data. They may be used elsewhere at the same time, on any thread, but
    /// not changed.
    public init(encoder: JSONEncoder = JSONEncoder(), decoder: JSONDecoder = JSONDecoder()) {
        self.encoder = encoder
        self.decoder = decoder
    }

    /// A value's JSON, in UTF-8.
    /// - Throws: an `EncodingError` where the value has no JSON form.
    public func encode(_ value: some Encodable) throws -> [UInt8] { [UInt8](try encoder.encode(value)) }

    /// The value that some JSON is.
    /// - Throws: a `DecodingError` where it is no JSON, or none of that type.
    public func decode<Value: Decodable>(_ type: Value.Type, from bytes: RawSpan) throws -> Value {
        // Safe: copied before the closure returns.
        try decoder.decode(type, from: unsafe bytes.withUnsafeBytes { unsafe Data($0) })
    }

    fileprivate static let shared = FoundationJSON()
}

extension JSONCoding where Self == FoundationJSON {
    /// Foundation's, set up as it comes: the default.
    public static var foundation: FoundationJSON { .shared }
}
