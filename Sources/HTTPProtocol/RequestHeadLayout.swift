/// Where the parts of a request head lie, and what its fields say about the connection and the body.
///
/// Offsets count from the first byte that was given to the parser. Trivially copyable; owns nothing.
package struct RequestHeadLayout: Hashable, Sendable {
    /// Bytes of the whole head, with the blank line at its end and the empty lines that were skipped in front.
    package internal(set) var byteCount = 0
    package internal(set) var method = 0..<0
    /// The request target as it was sent.
    package internal(set) var target = 0..<0
    /// The target's authority. Empty unless the target has the absolute form; it then takes the place of `Host`.
    package internal(set) var authority = 0..<0
    /// The target's path, still percent-encoded. Empty when a target of absolute form has none.
    package internal(set) var path = 0..<0
    /// The target's query without the question mark; empty also when the target has none.
    package internal(set) var query = 0..<0
    /// The field lines, each with its line end.
    package internal(set) var fields = 0..<0
    /// Whether the request is of HTTP/1.1 and not of 1.0.
    package internal(set) var isHTTP11 = false
    /// Whether the method is HEAD, so that the response has no body.
    package internal(set) var isHead = false
    /// Whether the connection may serve another request behind this one (RFC 9112 §9.3).
    package internal(set) var keepsAlive = false
    /// Whether the client waits for `100 Continue` before it sends the body: never without a body or on HTTP/1.0.
    package internal(set) var expectsContinue = false
    /// Whether `Connection` has the token `upgrade`.
    package internal(set) var requestsUpgrade = false
    /// Whether `Upgrade` names `websocket`.
    package internal(set) var namesWebSocket = false
    package internal(set) var body = BodyFraming.none

    package init() {}
}
