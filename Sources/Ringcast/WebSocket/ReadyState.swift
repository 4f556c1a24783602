/// Where a socket is in its life. The raw values are those of the browsers' `WebSocket.readyState`.
public enum ReadyState: Int, Hashable, Sendable {
    case connecting = 0
    case open = 1
    /// A Close frame was sent or has come; nothing more can be sent.
    case closing = 2
    case closed = 3
}
