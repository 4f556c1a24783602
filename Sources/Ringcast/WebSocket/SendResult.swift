/// What became of a message that was sent or published.
public enum SendResult: Hashable, Sendable {
    /// Accepted: it leaves at the end of the turn. `bytes` counts the payload, without the frame's header.
    case sent(bytes: Int)
    /// Accepted and queued, but the receiver is slower than the sender: do not send it again, and wait for `drain`.
    case backpressure
    /// Not sent: the socket is closed, its queue is at `backpressureLimit`, or nobody is subscribed.
    case dropped

    /// The same as an integer: the payload's bytes when sent (an empty message gives 1), -1 for backpressure, 0 when
    /// dropped.
    public var status: Int {
        switch self {
        case .sent(let bytes): max(bytes, 1)
        case .backpressure: -1
        case .dropped: 0
        }
    }
}
