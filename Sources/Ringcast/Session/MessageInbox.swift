/// What one socket with an asynchronous message handler keeps on its loop: the messages that wait, and the task that
/// handles them one after the other. The task ends when nothing waits, so that an idle socket owns none.
final class MessageInbox {
    /// The task that handles the messages; nil while there are none.
    var task: Task<Void, Never>?
    /// How the peer has ended its side, while messages that came before are still being handled.
    var ending: PeerEnding?
    private(set) var byteCount = 0
    private var messages = FIFO<OwnedMessage>()

    var count: Int { messages.count }

    func append(_ message: OwnedMessage) {
        messages.append(message)
        byteCount += message.byteCount
    }

    func popFirst() -> OwnedMessage? {
        guard let message = messages.popFirst() else { return nil }
        byteCount -= message.byteCount
        return message
    }

    func removeAll() {
        messages = FIFO()
        byteCount = 0
    }
}
