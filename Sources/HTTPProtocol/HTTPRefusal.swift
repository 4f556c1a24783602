package import HTTPTypes

/// Why a request is not served. The connection is closed behind the answer, since what follows cannot be framed.
package struct HTTPRefusal: Error, Hashable, Sendable {
    package let status: HTTPResponse.Status
    /// A short sentence without line breaks, for the body of the answer and for logs. Never a peer's bytes.
    package let reason: String

    package init(status: HTTPResponse.Status, reason: StaticString) {
        self.status = status
        self.reason = reason.description
    }

    /// 400, for bytes that are not a request, or one that two parsers could read in two ways.
    static func malformed(_ reason: StaticString) -> HTTPRefusal { HTTPRefusal(status: .badRequest, reason: reason) }

    static let headTooLarge = HTTPRefusal(
        status: .requestHeaderFieldsTooLarge, reason: "the request head is too large")
    static let tooManyFields = HTTPRefusal(
        status: .requestHeaderFieldsTooLarge, reason: "the request has too many fields")
    static let targetTooLong = HTTPRefusal(status: .uriTooLong, reason: "the request target is too long")
    static let unknownMethod = HTTPRefusal(status: .notImplemented, reason: "the method is unknown")
    static let unknownTransferCoding = HTTPRefusal(status: .notImplemented, reason: "the transfer coding is unknown")
    static let unknownExpectation = HTTPRefusal(status: .expectationFailed, reason: "the expectation is unknown")
    static let unknownVersion = HTTPRefusal(
        status: .httpVersionNotSupported, reason: "only HTTP/1.0 and HTTP/1.1 are spoken here")
    static let bodyTooLarge = HTTPRefusal(status: .contentTooLarge, reason: "the request body is too large")
}
