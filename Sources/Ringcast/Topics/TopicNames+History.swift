import PubSub

/// Topics by their names where something is remembered of them: a `String` does wherever a `Topic` does, with what is
/// said there. Literals are topics.
extension WebSocket {
    /// Subscribes to the topic of that name, from a position on.
    @_disfavoredOverload @discardableResult
    public func subscribe(to topic: String, after position: Position?) -> Resumption {
        subscribe(to: Topic(topic), after: position)
    }

    /// Subscribes to the topic of that name as somebody, from a position on.
    @_disfavoredOverload @discardableResult
    public func subscribe(to topic: String, as id: String, info: String? = nil, after position: Position? = nil)
        -> Resumption
    {
        subscribe(to: Topic(topic), as: id, info: info, after: position)
    }
}

extension WebSocketRef {
    /// Subscribes the socket to the topic of that name, from a position on.
    @_disfavoredOverload @discardableResult
    public func subscribe(to topic: String, after position: Position?) async -> Resumption {
        await subscribe(to: Topic(topic), after: position)
    }

    /// Subscribes the socket to the topic of that name as somebody, from a position on.
    @_disfavoredOverload @discardableResult
    public func subscribe(to topic: String, as id: String, info: String? = nil, after position: Position? = nil) async
        -> Resumption
    {
        await subscribe(to: Topic(topic), as: id, info: info, after: position)
    }
}

extension Server {
    /// The position of the newest message of the topic of that name.
    @_disfavoredOverload
    public func position(of topic: String) -> Position? { position(of: Topic(topic)) }

    /// What the topic of that name has kept behind a position.
    @_disfavoredOverload
    public func history(of topic: String, after position: Position = .oldest, last count: Int = .max) -> [KeptMessage] {
        history(of: Topic(topic), after: position, last: count)
    }

    /// Forgets what the topic of that name has kept.
    @_disfavoredOverload @discardableResult
    public func clearHistory(of topic: String) -> Int { clearHistory(of: Topic(topic)) }

    /// Who is in the topic of that name by this server's own sockets.
    @_disfavoredOverload
    public func presence(of topic: String) -> [PresentMember] { presence(of: Topic(topic)) }

    /// Who is in the topic of that name.
    @_disfavoredOverload
    public func presence(of topic: String) async throws(ServerError) -> [PresentMember] {
        try await presence(of: Topic(topic))
    }

    /// How many are in the topic of that name.
    @_disfavoredOverload
    public func presenceCount(of topic: String) async throws(ServerError) -> Int {
        try await presenceCount(of: Topic(topic))
    }

    /// How many sockets are subscribed to the topic of that name on all nodes.
    @_disfavoredOverload
    public func clusterSubscriberCount(of topic: String) async throws(ServerError) -> Int {
        try await clusterSubscriberCount(of: Topic(topic))
    }
}
