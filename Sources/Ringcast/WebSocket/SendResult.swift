/// What became of a message that was sent or published.
public enum SendResult: Hashable, Sendable {
    /// Accepted: the message leaves at the end of the turn. `bytes` counts the payload, without the frame's header.
    case sent(bytes: Int)
    /// Accepted and queued, but the receiver is slower than the sender: do not send the message again.
    ///
    /// Behind a `send`, wait for the socket's `drain`. Behind a `publish`, some subscriber is behind, and may miss this
    /// message or have missed others; nothing tells when it has caught up, so do not wait: publish less, or go on with
    /// the next message or tick of a timer, whose result is new.
    case backpressure
    /// Not sent: the socket is closed, its queue is at `backpressureLimit`, or nobody is subscribed who would get it.
    case dropped

    /// The result as an integer: the payload's bytes when sent (an empty message gives 1), -1 for backpressure, 0 when
    /// dropped.
    public var status: Int {
        switch self {
        case .sent(let bytes): max(bytes, 1)
        case .backpressure: -1
        case .dropped: 0
        }
    }
}
