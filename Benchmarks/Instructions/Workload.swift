import Ringcast

/// What is counted.
enum Workload: String, CaseIterable {
    /// 64 sockets, each of which sends a message of 20 bytes and has it sent back.
    case echo
    /// As `echo`, with 16 messages at a time from each.
    case echo16 = "echo-16"
    /// As `echo`, over TLS.
    case tlsEcho = "tls-echo"
    /// As `echo16`, over TLS: 16 messages in a record.
    case tlsEcho16 = "tls-echo-16"
    /// A message of 100 bytes to 64 subscribers: counted are deliveries.
    case fan1 = "fan-1"
    /// As `fan1`, with 16 messages at a time.
    case fan16 = "fan-16"
    /// A message at a time to 64 subscribers on another loop: counted are deliveries.
    case acrossLoops = "across-loops"
    /// 64 messages at a time to one subscriber on another loop: mostly what it costs to hand them over.
    case lane64 = "lane-64"
    /// A message at a time to one subscriber on another loop, which sleeps: mostly what it costs to reach a loop.
    case wakeUp = "wake-up"
    /// 16 messages at a time to a topic that nobody has subscribed to.
    case noSubscribers = "no-subscribers"
    /// Connections: accept, upgrade, closing handshake, end.
    case connection
    /// As `connection`, over TLS, with a full handshake.
    case tlsConnection = "tls-connection"

    /// The loops that it has to do with.
    var loopCount: Int {
        switch self {
        case .acrossLoops, .lane64, .wakeUp: 2
        case .echo, .echo16, .tlsEcho, .tlsEcho16, .fan1, .fan16, .noSubscribers, .connection, .tlsConnection: 1
        }
    }

    var isSecure: Bool { [.tlsEcho, .tlsEcho16, .tlsConnection].contains(self) }

    static var routes: Routes {
        let topic: Topic = "topic/instructions"
        var routes = Routes()
        routes.webSocket("/echo", WebSocketHandlers(message: { ws, message in ws.send(message) }))
        routes.webSocket(
            "/topic", WebSocketHandlers(open: { ws in ws.subscribe(to: topic) }, message: { _, _ in }))
        routes.webSocket("/publish", WebSocketHandlers(message: { ws, message in ws.publish(message, to: topic) }))
        return routes
    }
}
