package import HTTPTypes

/// The head of a response, as a client has received it (RFC 9112 §4).
package struct ResponseHead: Hashable, Sendable {
    package var status: Int
    /// The words behind the status, for people.
    package var reason: String
    package var isHTTP11: Bool
    /// Repeated fields are kept, in order.
    package var fields: HTTPFields
    /// Bytes of the whole head, with the blank line at its end.
    package var byteCount: Int

    /// How the body behind the head ends, if there is one (RFC 9112 §6.3); nil for one that ends with the connection.
    package var bodyFraming: BodyFraming? {
        if status < 200 || status == 204 || status == 304 { return BodyFraming.none }
        if let coding = fields[.transferEncoding] { return coding.lowercased() == "chunked" ? .chunked : nil }
        guard let length = fields[.contentLength] else { return nil }
        return Int(length).flatMap { $0 < 0 ? nil : .length($0) }
    }
}

/// What is known of a response head after all bytes so far.
package enum ResponseHeadResult: Hashable, Sendable {
    /// More bytes are needed.
    case incomplete
    case complete(ResponseHead)
    /// A head that breaks the rules: how, as a sentence's end. The connection is of no use any more.
    case malformed(String)
}
