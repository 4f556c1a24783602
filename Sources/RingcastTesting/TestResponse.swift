import HTTPProtocol
public import HTTPTypes

/// What a `TestServer` has answered to a request.
public struct TestResponse: Sendable, Hashable {
    /// The status.
    public let status: HTTPResponse.Status
    /// The headers; repeated ones are kept, in order.
    public let headers: HTTPFields
    /// The body, without the framing of chunks.
    public let body: [UInt8]

    init(_ head: ResponseHead, body: [UInt8]) {
        status = HTTPResponse.Status(code: head.status, reasonPhrase: head.reason)
        headers = head.fields
        self.body = body
    }

    /// The body as a string. What is not UTF-8 comes out repaired.
    public var string: String { String(decoding: body, as: UTF8.self) }
}
