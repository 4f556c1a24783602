/// Where a socket is in its life. The raw values are those of the browsers' `WebSocket.readyState`.
public enum ReadyState: Int, Hashable, Sendable {
    /// Never seen: a socket begins with the handshake's end.
    case connecting = 0
    /// Messages flow.
    case open = 1
    /// A Close frame was sent or has come; nothing more can be sent.
    case closing = 2
    /// The close handler is running or has run.
    case closed = 3
}
