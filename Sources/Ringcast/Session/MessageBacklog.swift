import WebSocketProtocol

/// What one socket with an asynchronous message handler keeps on its loop: the messages that wait, and the task that
/// handles them one after the other. The task ends when nothing waits, so that an idle socket owns none.
final class MessageBacklog {
    /// How the peer has ended its side, while messages that came before are still being handled.
    enum Ending {
        case close(CloseCode?, reason: String)
        case endOfInput
    }

    /// Runs while there are messages.
    var task: Task<Void, Never>?
    var ending: Ending?
    private(set) var count = 0
    private(set) var byteCount = 0
    /// Oldest last, so that taking one moves none.
    private var leaving: [OwnedMessage] = []
    private var arriving: [OwnedMessage] = []

    func append(_ message: OwnedMessage) {
        arriving.append(message)
        count += 1
        byteCount += message.byteCount
    }

    /// Takes the oldest. O(1) amortised.
    func popFirst() -> OwnedMessage? {
        if leaving.isEmpty {
            swap(&leaving, &arriving)
            leaving.reverse()
        }
        guard let message = leaving.popLast() else { return nil }
        count -= 1
        byteCount -= message.byteCount
        return message
    }

    func removeAll() {
        (leaving, arriving) = ([], [])
        (count, byteCount) = (0, 0)
    }
}
