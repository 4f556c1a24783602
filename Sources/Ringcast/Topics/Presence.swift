public import PubSub

/// Somebody who is in a topic: an identity, whatever the number of its sockets.
public struct PresentMember: Hashable, Sendable, Identifiable {
    /// What its sockets subscribed as.
    public let id: String
    /// What the last of them to subscribe said of it.
    public let info: String?
    /// How many sockets there are.
    public let socketCount: Int

    /// What `Server.presence(of:)` makes; public for tests of its users.
    public init(id: String, info: String? = nil, socketCount: Int = 1) {
        self.id = id
        self.info = info
        self.socketCount = socketCount
    }
}

/// Somebody has come into a topic, or left it: the first socket of an identity, or the last.
public struct PresenceChange: Hashable, Sendable {
    /// Which of the two.
    public enum Kind: Hashable, Sendable {
        /// The first socket of an identity has subscribed.
        case joined
        /// The last one has left.
        case left
    }

    /// Which of the two.
    public let kind: Kind
    /// Who.
    public let id: String
    /// What the last socket to subscribe said of it.
    public let info: String?
    /// How many identities are there now; see `Server.presenceCount(of:)`.
    public let presenceCount: Int

    /// What `ServerConfiguration.presence` is told; public for tests of its users.
    public init(kind: Kind, id: String, info: String? = nil, presenceCount: Int) {
        self.kind = kind
        self.id = id
        self.info = info
        self.presenceCount = presenceCount
    }
}

extension WebSocket {
    /// Subscribes to a topic as somebody, from a position on: `Server.presence(of:)` lists the identity while any
    /// socket is subscribed as it. A socket that dies without a word leaves when it ends.
    ///
    /// Costs a lock more than `subscribe(to:after:)`. The identity counts only where the subscription changes
    /// something; beyond `ServerLimits.presencePerTopic` the socket is subscribed and not listed, which
    /// `ringcast_presence_refused_total` counts.
    /// - Parameters:
    ///   - topic: with history or without.
    ///   - id: who: the same `id` twice is one member. With `info` at most 4 KiB.
    ///   - info: what others are to know of it, such as a name or JSON.
    ///   - position: the last message that the peer has; nil begins with what is published from now on.
    /// - Returns: what came of the subscription, as `subscribe(to:after:)` says.
    @discardableResult
    public func subscribe(to topic: Topic, as id: String, info: String? = nil, after position: Position? = nil)
        -> Resumption
    {
        session.subscribeIfOpen(to: topic, as: id, info: info, after: position)
    }
}

extension WebSocketRef {
    /// Subscribes the socket to a topic as somebody, as `WebSocket.subscribe(to:as:info:after:)` does.
    /// - Returns: what came of it, when the socket's loop has done it; `.unchanged` once the socket is closed.
    @discardableResult
    public func subscribe(to topic: Topic, as id: String, info: String? = nil, after position: Position? = nil) async
        -> Resumption
    {
        await lifeline.resumption { $0.subscribeIfOpen(to: topic, as: id, info: info, after: position, $1) }
    }
}

extension Server {
    /// Who is in a topic by this server's own sockets, in no order; what handlers ask, which cannot wait. Costs a lock
    /// and a walk over them. Any thread.
    public func presence(of topic: Topic) -> [PresentMember] { core.presence.members(of: topic) }

    /// Who is in a topic on all nodes of a cluster, in no order: an identity is one member, wherever its sockets are.
    /// Costs a lock and a walk over them; in a cluster a message to each node, one back, and the wait for the slowest.
    /// Any task.
    /// - Throws: in a cluster, if a node does not answer within two seconds, such as one that has just died.
    public func presence(of topic: Topic) async throws(ServerError) -> [PresentMember] {
        try await core.presenceOfAllNodes(in: topic)
    }

    /// How many are in a topic on all nodes of a cluster: identities, not sockets. Costs a lock; in a cluster what
    /// `presence` costs. Any task.
    /// - Throws: as `presence`.
    public func presenceCount(of topic: Topic) async throws(ServerError) -> Int {
        core.cluster == nil ? core.presence.count(of: topic) : try await core.presenceOfAllNodes(in: topic).count
    }
}

extension Session {
    func subscribeIfOpen(
        to topic: Topic, as id: String, info: String?, after position: Position?,
        _ completion: (@Sendable (Resumption) -> Void)? = nil
    ) -> Resumption {
        let (loop, slot, serial) = (loop, slot, serial)
        let resumption = subscribeIfOpen(to: topic, after: position, completion)
        // The handlers that heard of it may have closed the socket, or taken the subscription back.
        guard resumption != .unchanged, let session = loop.sessions.find(slot: slot, serial: serial), session.isOpen,
            loop.table.isSubscribed(session.memberships, to: topic)
        else { return resumption }
        let outcome = loop.core.presence.join(topic, as: id, info: info)
        guard outcome != .refused else {
            loop.events.refusedPresences.add(1)
            return resumption
        }
        session.makeExtras().identities[topic] = id
        if outcome == .changed { loop.tellOfPresence(in: topic) }
        return resumption
    }

    /// Takes back what the socket has subscribed to a topic as, if it has.
    func leavePresence(in topic: Topic) {
        guard let id = extras?.identities.removeValue(forKey: topic) else { return }
        if loop.core.presence.leave(topic, as: id) == .changed { loop.tellOfPresence(in: topic) }
    }

    /// As `leavePresence(in:)`, of all topics.
    func leaveAllPresence() {
        guard let extras, !extras.identities.isEmpty else { return }
        for topic in extras.identities.keys { leavePresence(in: topic) }
    }
}

extension SocketLoop {
    /// Has the topic's home loop tell the configuration's handler of what has changed: here at the turn's end, for this
    /// may be the middle of a fan-out.
    func tellOfPresence(in topic: Topic) {
        let home = topic.home(among: core.counters.count)
        guard home != eventLoop.index else { return changedPresences.append(topic) }
        core.run(LoopJob { $0?.reportPresence(in: topic) }, on: home)
    }

    func reportPresences() {
        while let topic = changedPresences.popFirst() { reportPresence(in: topic) }
    }

    private func reportPresence(in topic: Topic) {
        guard let handler = core.configuration.presence, let server else { return }
        for change in core.presence.takeChanges(of: topic) { handler(server, topic, change) }
    }
}
