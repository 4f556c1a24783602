import PubSub
import Reactor

/// How far this node has come in a history that the engine keeps. Belongs to the topic's home loop, from the first
/// subscriber on this node until the engine need not send the topic any more: `SocketLoop+HistoryFeed.swift`.
final class HistoryFeed {
    /// A message that has come too early: others before it are missing.
    struct Held {
        let position: Position
        let message: [UInt8]
        /// The newest read when it came.
        let ticket: UInt64
    }

    /// A subscriber that gets nothing of the topic before the engine has answered.
    struct Waiter {
        let position: Position
        /// The newest read when it began to wait: a later one has the answer for it.
        let ticket: UInt64
    }

    /// Whose subscription waits.
    struct WaiterKey: Hashable {
        let loop: Int
        let slot: UInt32
        let serial: UInt64
        /// Which of the socket's subscriptions.
        let id: UInt64
    }

    /// So many messages, of so many bytes, may wait for those before them; what is beyond is read later.
    private static let heldLimit = (messages: 1_000, bytes: 4 << 20)

    let entry: TopicEntry
    let history: TopicHistory
    /// The read that a node's interest begins with, which says where the topic is.
    let start: UInt64
    /// The read that is under way, beside that.
    var asked: UInt64?
    /// Whether another one has to follow.
    var mustAsk = false
    private(set) var held = FIFO<Held>()
    private var heldBytes = 0
    var waiters: [WaiterKey: Waiter] = [:]
    /// Older messages that are being read for those who wait, oldest first; nil while they are not.
    var filling: [HistoryPage.Message]?

    /// - Parameter entry: claimed for the feed.
    init(_ entry: TopicEntry, _ history: TopicHistory, start: UInt64) {
        (self.entry, self.history, self.start) = (entry, history, start)
    }

    /// Keeps a message that has come too early, if there is room.
    func hold(_ message: Held) -> Bool {
        guard held.count < Self.heldLimit.messages, heldBytes < Self.heldLimit.bytes else { return false }
        held.append(message)
        heldBytes += message.message.count
        return true
    }

    func popHeld() -> Held? {
        let message = held.popFirst()
        heldBytes -= message?.message.count ?? 0
        return message
    }

    enum Place { case next, old, ahead }

    /// Where a message stands against what this node has.
    func place(of position: Position) -> Place {
        let state = history.state
        if position.epoch == state.numbering.epoch {
            return position.offset == state.last + 1 ? .next : position.offset <= state.last ? .old : .ahead
        }
        if state.numbering.epoch == 0, position.offset == 1 { return .next }
        return state.numbering.earlier.contains { $0.epoch == position.epoch } ? .old : .ahead
    }
}
