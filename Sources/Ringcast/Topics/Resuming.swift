public import PubSub
import Reactor

extension WebSocket {
    /// Subscribes to a topic, from a position on: the socket gets what the topic has kept behind it, in order, before
    /// this returns, then what is published; each message once, whichever loop publishes meanwhile.
    ///
    ///     open: { ws in
    ///         if case .gap = ws.subscribe(to: "room/1", after: ws.data.lastSeen) { ws.send(snapshot) }
    ///     }
    ///
    /// What it gets are all messages of the topic, those of its own among them. They count as any others do: what is
    /// beyond `WebSocketOptions.backpressureLimit` follows the topic's slow-consumer policy, so the limit should exceed
    /// what the history may hold. Costs a lock, and a copy of what is handed over.
    /// - Parameters:
    ///   - topic: one with history.
    ///   - position: the last message that the peer has; nil begins with what is published from now on, and `.oldest`
    ///     with all that is kept. A peer may name any: what is no position of this topic is a `.gap`.
    /// - Returns: what came of it; `.gap` also where the topic keeps no history. In a cluster it may be `.resuming`:
    ///   then all that is said here holds from the moment when `WebSocketHandlers`' `resumed` is called.
    @discardableResult
    public func subscribe(to topic: Topic, after position: Position?) -> Resumption {
        session.subscribeIfOpen(to: topic, after: position)
    }
}

extension WebSocketRef {
    /// Subscribes the socket to a topic, from a position on, as `WebSocket.subscribe(to:after:)` does.
    /// - Returns: what came of it, when the socket's loop has done it; `.unchanged` once the socket is closed. Never
    ///   `.resuming`: it waits until a cluster's engine has answered, too, of which `resumed` hears as well.
    @discardableResult
    public func subscribe(to topic: Topic, after position: Position?) async -> Resumption {
        await lifeline.resumption { $0.subscribeIfOpen(to: topic, after: position, $1) }
    }
}

/// A message that a topic has kept.
public struct KeptMessage: Hashable, Sendable {
    /// Where it stands.
    public let position: Position
    /// What subscribers got.
    public let message: OwnedMessage
}

extension Server {
    /// The position of a topic's newest message, from which a subscriber may go on; nil where the topic has no history,
    /// or nobody has used it yet. In a cluster the newest that has come to this node, and nil while nobody here is
    /// subscribed. Costs two locks. Any thread.
    public func position(of topic: Topic) -> Position? { core.registry.find(topic)?.history?.position }

    /// What a topic has kept behind a position, oldest first; everything by default, and where the position is of
    /// another numbering. In a cluster what this node has of it, which may be less than the engine has. Costs two locks
    /// and a copy of what is returned. Any thread.
    /// - Parameters:
    ///   - topic: one with history.
    ///   - position: the last message that is known already.
    ///   - count: the most messages to return, the newest ones.
    public func history(of topic: Topic, after position: Position = .oldest, last count: Int = .max) -> [KeptMessage] {
        guard let history = core.registry.find(topic)?.history else { return [] }
        // Who asks from a thread that is no loop has no part in a simulated time.
        let now = core.currentLoop?.now ?? (group.driver == .simulated ? nil : MonotonicClock.milliseconds)
        let (first, frames) = history.frames(after: position, now: now)
        defer { for frame in frames { frame.release() } }
        return frames.indices.suffix(max(count, 0)).map { index in
            let frame = frames[index].encoded
            return KeptMessage(
                position: Position(epoch: history.epoch, offset: first + UInt64(index)),
                message: unsafe OwnedMessage(frame.payload, as: frame.opcode))
        }
    }

    /// Forgets what a topic has kept; in a cluster, what this node has of it. Its numbering goes on while anybody uses
    /// the topic. Costs two locks. Any thread.
    /// - Returns: how many messages that were.
    @discardableResult
    public func clearHistory(of topic: Topic) -> Int { core.registry.forgetHistory(of: topic) }

    /// How many topics keep messages, and the memory that these take. O(topics) under a lock. Any thread.
    public var historyUsage: TopicUsage { TopicUsage(core.registry.histories) }
}
