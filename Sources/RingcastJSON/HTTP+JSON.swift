public import Ringcast

extension Reply {
    /// A response whose body is a value's JSON. Without a `Content-Type` among the headers it is sent as
    /// `application/json`. A value that cannot be encoded is a programming error, which is logged and answered with
    /// 500.
    public static func json(
        _ value: some Encodable, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:],
        with coding: some JSONCoding = .foundation
    ) -> Reply {
        do {
            var headers = headers
            if headers[.contentType] == nil { headers[.contentType] = "application/json" }
            return .response(status, bytes: try coding.encode(value), headers: headers)
        } catch {
            // The server logs what a task throws, and answers 500.
            return .deferred { throw error }
        }
    }
}

extension Request {
    /// The value that the body's JSON is, whatever `Content-Type` says.
    ///
    /// What `fetch` lets through is logged and answered with 500. A body that is wrong is its sender's fault:
    /// `guard let order = try? request.json(Order.self) else { return .response(.badRequest) }`.
    /// - Throws: a `DecodingError` where it is no JSON, or none of that type.
    public func json<Value: Decodable>(
        _ type: Value.Type = Value.self, with coding: some JSONCoding = .foundation
    ) throws -> Value {
        try coding.decode(type, from: body)
    }
}

extension RequestCopy {
    /// The value that the body's JSON is; see `Request.json(_:with:)`.
    /// - Throws: a `DecodingError` where it is no JSON, or none of that type.
    public func json<Value: Decodable>(
        _ type: Value.Type = Value.self, with coding: some JSONCoding = .foundation
    ) throws -> Value {
        try request.json(type, with: coding)
    }
}
