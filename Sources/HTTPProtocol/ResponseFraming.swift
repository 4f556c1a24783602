/// How the end of a response's body is found (RFC 9112 §6.3).
package enum ResponseFraming: Hashable, Sendable {
    case length(Int)
    /// In chunks, for clients of HTTP/1.1.
    case chunked
    /// By the end of the connection: all that a client of HTTP/1.0 knows where the length is not told.
    case endOfConnection

    /// Bytes of the body, where they are told.
    package var byteCount: Int? { if case .length(let count) = self { count } else { nil } }

    /// What goes in front of a piece of the body, which is not empty: for a chunk its size (RFC 9112 §7.1).
    package func prefix(ofPiece byteCount: Int) -> String {
        self == .chunked ? String(byteCount, radix: 16) + "\r\n" : ""
    }

    /// What goes behind a piece of the body.
    package var suffixOfPiece: String { self == .chunked ? "\r\n" : "" }

    /// What goes behind the whole body.
    package var end: String { self == .chunked ? "0\r\n\r\n" : "" }
}
