/// How the end of a request's body is known (RFC 9112 §6.3).
package enum BodyFraming: Hashable, Sendable {
    /// There is no body, or one of length zero.
    case none
    /// `Content-Length`, more than zero.
    case length(Int)
    /// `Transfer-Encoding: chunked`.
    case chunked
}
