/// In which order a topic's subscribers get its messages. Topics with a history have total order.
@nonexhaustive public enum TopicOrder: Hashable, Sendable {
    /// Those of one publishing loop as they were published; those of different loops as they happen to come, at one
    /// subscriber in this order and at another in that. The default, and the cheapest.
    case perPublisher
    /// All subscribers get all messages in one order. One loop, the topic's home, numbers them: a message from
    /// elsewhere goes there first, which costs its publisher as much as another loop with subscribers, and the message
    /// a wait for two turns of loops instead of one.
    case total
}

extension TopicOrder {
    /// The bit of a topic's policy word that says `total`.
    static let mask: UInt32 = 1 << 8

    /// The bit that says that the topic has a history, whose order is total and stays so.
    static let wordOfHistory: UInt32 = 1 << 9

    var word: UInt32 { self == .total ? Self.mask : 0 }

    init(word: UInt32) { self = word & (Self.mask | Self.wordOfHistory) == 0 ? .perPublisher : .total }
}
