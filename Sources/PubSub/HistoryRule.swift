/// How much of a topic's messages is kept: the newest ones within all three bounds.
package struct HistoryRule: Hashable, Sendable {
    package let messages: Int
    /// Bytes of memory that the frames take.
    package let bytes: Int
    /// Milliseconds for which a message is kept; nil: as long as there is room.
    package let age: UInt64?
    /// What else its maker has to know of the topic: nothing to PubSub.
    package let tag: Int

    package init(messages: Int, bytes: Int = .max, age: UInt64? = nil, tag: Int = 0) {
        (self.messages, self.bytes, self.age, self.tag) = (messages, bytes, age, tag)
    }
}
