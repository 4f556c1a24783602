public import Ringcast

extension Message {
    /// The value that the message's JSON is, text or binary.
    ///
    /// What a handler lets through closes its socket with 1011, after its `error` handler has seen it; to close
    /// otherwise, or not, catch it: `guard let move = try? message.decode(Move.self) else { return ws.close(1007) }`.
    /// - Throws: a `DecodingError` where it is no JSON, or none of that type.
    public func decode<Value: Decodable>(
        _ type: Value.Type = Value.self, with coding: some JSONCoding = .foundation
    ) throws -> Value {
        try coding.decode(type, from: rawBytes)
    }
}

extension OwnedMessage {
    /// The value that the message's JSON is, text or binary.
    /// - Throws: a `DecodingError` where it is no JSON, or none of that type.
    public func decode<Value: Decodable>(
        _ type: Value.Type = Value.self, with coding: some JSONCoding = .foundation
    ) throws -> Value {
        let bytes = bytes
        return try coding.decode(type, from: unsafe bytes.span.bytes)
    }
}
