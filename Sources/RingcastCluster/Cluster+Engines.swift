public import Reactor
public import Ringcast

extension Cluster {
    /// Topics over Redis 6 or later, or Valkey: a topic is a channel of its pub/sub, in any of its databases.
    ///
    /// Histories are streams, written and read by scripts: what is published waits until Redis has it, and a node that
    /// was away reads what it has missed. How much of that survives a restart of Redis is up to its configuration
    /// (`appendonly`); what does not is a gap that is told.
    ///
    /// The server has a thread and two connections for it, three where there are histories, and connects again whenever
    /// the engine was away. What is published meanwhile waits, as far as there is room; `publish` says `.backpressure`
    /// once half of the room is taken, and what is beyond it is dropped, counted and told of. The engine sends a node's
    /// own messages back to it, if it has subscribers of them, too: they are thrown away here.
    /// - Parameters:
    ///   - url: `redis://user:password@host:6379`, or `rediss://` for TLS; user, password and port may be left out. The
    ///     user needs the commands PING, PUBLISH, SUBSCRIBE and UNSUBSCRIBE, and the channels `PREFIX*`; what histories
    ///     need besides, docs/cluster.md lists.
    ///   - prefix: stands in front of the names of channels and keys: servers with another one are another cluster.
    ///   - tls: whom to believe, and what to show; for `rediss://`.
    ///   - waitingBytes: how much may wait while the engine is away or slow; the connections' own buffers come on top.
    ///   - events: hears of what happens between the server and the engine; see `Cluster.events`.
    public static func redis(
        _ url: String, prefix: String = "ringcast:", tls: TLSClientConfiguration = TLSClientConfiguration(),
        waitingBytes: Int = 8 << 20, events: (@Sendable (Server, ClusterEvent) -> Void)? = nil
    ) -> Cluster {
        Cluster(events: events) { node throws(ServerError) in
            let address = try EngineAddress(url, schemes: ["redis": false, "rediss": true], port: 6379)
            let language = RedisLanguage(
                user: address.user, password: address.password, prefix: Array(prefix.utf8), node: node.id,
                remembers: node.keepsHistories)
            return try backplane(of: node, language, at: address, tls, waitingBytes: waitingBytes)
        }
    }

    /// Topics over NATS 2.9 or later: a topic is a subject of core NATS, and one with history a stream of JetStream,
    /// which has to be on then (`nats-server -js`): as long as it is not, the engine counts as away, and says why.
    ///
    /// The server has a thread and one connection for it, two where there are histories; what is said of `redis` goes
    /// for it, but that NATS does not send a node its own messages, and takes none of more than its `max_payload` (a
    /// megabyte): those are dropped.
    /// - Parameters:
    ///   - url: `nats://user:password@host:4222`, or `tls://`; user, password and port may be left out. The user needs
    ///     the subjects `PREFIX.>`, and for histories `$JS.API.>`.
    ///   - prefix: the first token of subjects, of letters and digits: servers with another one are another cluster.
    ///   - tls: whom to believe, and what to show; for `tls://`.
    ///   - waitingBytes: how much may wait while the engine is away or slow; the connection's own buffers come on top.
    ///   - events: as for `redis`.
    public static func nats(
        _ url: String, prefix: String = "ringcast", tls: TLSClientConfiguration = TLSClientConfiguration(),
        waitingBytes: Int = 8 << 20, events: (@Sendable (Server, ClusterEvent) -> Void)? = nil
    ) -> Cluster {
        Cluster(events: events) { node throws(ServerError) in
            let address = try EngineAddress(url, schemes: ["nats": false, "tls": true], port: 4222)
            let isToken = prefix.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0 & 0xDF) }
            guard isToken, !prefix.isEmpty else {
                throw ServerError("a prefix of NATS is of letters and digits", code: .invalidConfiguration)
            }
            let follows: @Sendable (Topic) -> Bool = { node.follows(historyOf: $0) }
            let language = NATSLanguage(
                user: address.user, password: address.password, isSecure: address.isSecure, prefix: prefix,
                node: node.id, history: node.keepsHistories ? follows : nil)
            return try backplane(of: node, language, at: address, tls, waitingBytes: waitingBytes)
        }
    }

    private static func backplane(
        of node: ClusterNode, _ language: any EngineLanguage, at address: EngineAddress, _ tls: TLSClientConfiguration,
        waitingBytes: Int
    ) throws(ServerError) -> any Backplane {
        // An engine comes back to many nodes at once, within seconds.
        let reconnect = ReconnectPolicy(initialDelay: .milliseconds(100), maxDelay: .seconds(3))
        let engine = try EngineBackplane(
            EngineOptions(
                language: language, address: address, tls: try client(tls, for: address), waitingBytes: waitingBytes,
                reconnect: reconnect),
            node)
        return node.keepsHistories ? RememberingBackplane(engine) : engine
    }

    private static func client(
        _ configuration: TLSClientConfiguration, for address: EngineAddress
    ) throws(ServerError) -> TLSClient? {
        guard address.isSecure else { return nil }
        var configuration = configuration
        configuration.applicationProtocols = []
        do throws(ReactorError) {
            return try TLSClient(configuration: configuration)
        } catch {
            throw ServerError("the cluster's TLS: \(error)", code: error.code)
        }
    }
}
