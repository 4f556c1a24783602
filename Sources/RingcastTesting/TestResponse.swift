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

    /// The cookies that it sets, as the header with which a browser would send them back:
    /// `app.connect("/rooms/1", headers: login.cookies)`. Where it sets none, no header.
    public var cookies: HTTPFields {
        let pairs = headers[values: .setCookie].map { $0.prefix { $0 != ";" } }
        return pairs.isEmpty ? [:] : [.cookie: pairs.joined(separator: "; ")]
    }

    /// The body as a string. What is not UTF-8 comes out repaired.
    public var string: String { String(decoding: body, as: UTF8.self) }
}
