public import WebSocketProtocol

/// What becomes of a topic's messages at a subscriber that does not keep up.
///
/// A policy governs the messages of its own topic, those that have not been handed to the kernel, and always whole
/// ones; what is sent to a socket directly, and control frames, are never evicted. The order of what is delivered stays
/// that of the publishes. A socket whose options say `closeOnBackpressureLimit` is closed at the limit, whatever the
/// policy. Every message dropped is counted in `ServerStatistics`, once per subscriber. Costs nothing for subscribers
/// that keep up.
@nonexhaustive public enum SlowConsumerPolicy: Hashable, Sendable {
    /// A message for a subscriber that has `backpressureLimit` bytes queued is dropped.
    case dropNewest
    /// The oldest waiting messages of topics with this policy are dropped until there is room for the new one.
    case dropOldest
    /// While a subscriber is behind, only the newest message of the topic waits for it: it takes the place of older
    /// ones. It is behind while bytes are left from an earlier turn, or once its limit was reached, until its queue is
    /// empty; who keeps up gets everything, however much one turn brings.
    case latest
    /// A subscriber that has `backpressureLimit` bytes queued is closed with this code; 1013, try again later, is the
    /// usual one.
    case close(CloseCode)
}

extension SlowConsumerPolicy {
    /// Whether a message that waits may be dropped for another.
    var evicts: Bool { self == .dropOldest || self == .latest }

    /// The bits of a topic's policy word that hold this policy: a kind, and a close code.
    static let mask: UInt32 = 0xFFFF_00FF

    /// The policy in those bits, as topics keep it for loops to read without a lock. 0 is `dropNewest`.
    var word: UInt32 {
        switch self {
        case .dropNewest: 0
        case .dropOldest: 1
        case .latest: 2
        case .close(let code): 3 | UInt32(code.rawValue) << 16
        }
    }

    init(word: UInt32) {
        switch word & 0xFF {
        case 0: self = .dropNewest
        case 1: self = .dropOldest
        case 2: self = .latest
        default: self = .close(CloseCode(rawValue: UInt16(word >> 16)))
        }
    }

    /// Refuses codes that cannot stand in a Close frame: a programming error.
    func check() {
        if case .close(let code) = self { precondition(code.isSendable, "\(code) cannot stand in a Close frame") }
    }
}
