/// How much of a topic's messages is kept: the newest ones within all three bounds.
package struct HistoryRule: Hashable, Sendable {
    package let messages: Int
    /// Bytes of memory that the frames take.
    package internal(set) var bytes: Int
    /// Milliseconds for which a message is kept; nil: as long as there is room.
    package let age: UInt64?
    /// What else its maker has to know of the topic: nothing to PubSub.
    package let tag: Int
    /// Whether somebody else numbers and keeps the messages for several servers, so that what is kept here is a copy.
    package let isShared: Bool

    package init(messages: Int, bytes: Int = .max, age: UInt64? = nil, tag: Int = 0, isShared: Bool = false) {
        (self.messages, self.bytes, self.age, self.tag, self.isShared) = (messages, bytes, age, tag, isShared)
    }
}
