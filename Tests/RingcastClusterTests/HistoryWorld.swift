import Ringcast
import RingcastCluster
import RingcastTesting
import Synchronization

/// Servers over an engine in memory whose topic "/room" has a history, and their clients.
///
/// Messages come as "TEXT OFFSET". Who goes on behind a position (`?after=`) hears "resumed COUNT" or "gap" when that
/// has come to something, with "at once: " in front if `subscribe` has said it.
final class HistoryWorld {
    let engine = InMemoryEngine()
    private let log = EventLog()
    private var nodes: [TestServer] = []
    /// Where messages stand, by client and what was published.
    private var positions: [ObjectIdentifier: [String: Position]] = [:]

    var events: [ClusterEvent] { log.events.withLock { $0 } }

    private final class EventLog: Sendable {
        let events = Mutex<[ClusterEvent]>([])
    }

    struct Guest {
        let topic: Topic
        let position: Position?
        let says: String?
    }

    func node(
        loops: Int = 1, messages: Int = 200, waitingMessages: Int = 1_000, interestLinger: Duration = .seconds(5)
    ) throws -> TestServer {
        let cluster = Cluster.inMemory(
            engine, waitingMessages: waitingMessages, interestLinger: interestLinger
        ) { [log] _, event in log.events.withLock { $0.append(event) } }
        let node = try Self.server(cluster, loops: loops, messages: messages)
        nodes.append(node)
        return node
    }

    static func server(_ cluster: Cluster, loops: Int = 1, messages: Int = 200) throws -> TestServer {
        let stamping = Stamping.custom { message, position in .text("\(message.string) \(position)") }
        let configuration = ServerConfiguration(
            topics: [.matching("/room*", history: .init(messages: messages), stamping: stamping)], cluster: cluster)
        return try TestServer(configuration: configuration, loops: loops) { request in
            .upgrade(
                to: Self.handlers,
                with: Guest(
                    topic: Topic(request.path), position: request.query("after").flatMap(Position.init),
                    says: request.query("say")))
        }
    }

    private static let handlers = WebSocketHandlers<Guest>(
        open: { ws in
            guard ws.data.topic != "/idle" else { return }
            let result = ws.subscribe(to: ws.data.topic, after: ws.data.position)
            if result != .new, result != .resuming { ws.send("at once: " + text(result)) }
            if let text = ws.data.says { ws.server.publish(text, to: ws.data.topic) }
        },
        message: { ws, message in
            switch message.string {
            case "leave":
                ws.unsubscribe(from: ws.data.topic)
                ws.send("left")
            case "await":
                ws.task { reference in
                    let result = await reference.subscribe(to: "/room", after: .oldest)
                    reference.send("awaited " + text(result))
                }
            default: ws.publish(message, to: ws.data.topic)
            }
        },
        resumed: { ws, _, result in if ws.data.topic != "/idle" { ws.send(text(result)) } })

    private static func text(_ result: Resumption) -> String {
        if case .resumed(let count) = result { "resumed \(count)" } else { "\(result)" }
    }

    func connect(
        _ node: TestServer, path: String = "/room", loop: Int? = nil, after position: Position? = nil
    ) throws -> TestClient {
        let client = try node.connect(path + (position.map { "?after=\($0)" } ?? ""), on: loop)
        rest()
        return client
    }

    /// Lets all nodes do what there is to be done: what one does, others may have to do something about.
    func rest() { for _ in 0..<20 { for node in nodes { node.rest() } } }

    /// What a client has got since it was asked last, without epochs.
    func texts(_ client: TestClient) -> [String] {
        rest()
        return client.takeReceived().map(\.string).map { text in
            let words = text.split(separator: " ")
            guard words.count > 1, let last = words.last, let position = Position(String(last)) else { return text }
            let name = words.dropLast().joined(separator: " ")
            positions[ObjectIdentifier(client), default: [:]][name] = position
            return "\(name) \(position.offset)"
        }
    }

    /// The position of a message that a client has got; takes what it has got.
    func position(in client: TestClient, of text: String) -> Position? {
        _ = texts(client)
        return positions[ObjectIdentifier(client)]?[text]
    }
}
