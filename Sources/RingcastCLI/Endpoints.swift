import LoadTesting
import Ringcast

/// What `ringcast serve` answers at which path.
enum Endpoints {
    /// - Parameter isOpen: whether everybody may use `/publish/T`, `/stats` and `/metrics` (`--open`).
    static func routes(options: WebSocketOptions, isOpen: Bool) -> Routes {
        let topic = TopicMember.handlers(options: options)
        var routes = Routes()
        routes.get("/") { _ in
            .response(.ok, ChatPage.html, headers: [.contentType: "text/html; charset=utf-8"])
        }
        routes.webSocket("/echo", WebSocketHandlers(options: options, message: { ws, message in ws.send(message) }))
        routes.webSocket("/chat", ChatMember.handlers(options: options)) { ChatMember(name: $0.query("name")) }
        routes.webSocket("/room", RoomGuest.handlers(options: options)) { RoomGuest(name: $0.query("name")) }
        routes.webSocket("/topic/*", topic) { try TopicMember($0, subscribes: true) }
        routes.webSocket("/sink", WebSocketHandlers(options: options, message: { _, _ in }))
        if !isOpen { routes.use { request, next in isLocal(request) ? try next(request) : forbidden } }
        routes.webSocket("/publish/*", topic) { try TopicMember($0, subscribes: false) }
        routes.get("/stats") { statistics(of: $0.server) }
        routes.get("/metrics") { .metrics(of: $0.server) }
        return routes
    }

    /// Whether a request comes from this machine. One that a proxy has passed on comes from elsewhere.
    private static func isLocal(_ request: borrowing Request) -> Bool {
        guard request.header(.xForwardedFor) == nil, request.header(forwarded) == nil else { return false }
        return request.remoteAddress.map { address in local.contains { $0.contains(address) } } ?? false
    }

    private static let forwarded = HTTPField.Name("Forwarded")!
    private static let local: [AddressRange] = ["127.0.0.0/8", "::1", "unix"]
    private static let forbidden = Reply.response(
        .forbidden, "this is for clients on the server's machine, unless it was started with --open\n")

    private static func statistics(of server: Server) -> Reply {
        guard let json = try? JSON.text(StatisticsReport(loops: server.statistics)) else {
            return .response(.serviceUnavailable)
        }
        return .response(
            .ok, json + "\n",
            headers: [.contentType: "application/json", .cacheControl: "no-store"])
    }
}

/// A member of `/chat`: every message goes to every member, its sender too. Nothing is announced.
struct ChatMember {
    let name: String?

    static func handlers(options: WebSocketOptions) -> WebSocketHandlers<ChatMember> {
        let topic: Topic = "chat"
        var options = options
        options.publishToSelf = true
        return WebSocketHandlers(
            options: options,
            open: { ws in ws.subscribe(to: topic) },
            message: { ws, message in
                if let name = ws.data.name, message.isText {
                    ws.publish("\(name): \(message.string)", to: topic)
                } else {
                    ws.publish(message, to: topic)
                }
            })
    }
}

/// A guest of `/room`, which is the chat page's: what one says goes to the others, and they are told who comes and
/// goes.
struct RoomGuest {
    let name: String

    /// - Parameter name: cut to what the chat page can show.
    init(name: String?) {
        let name = name ?? ""
        self.name = name.isEmpty ? "someone" : String(name.prefix(64))
    }

    static func handlers(options: WebSocketOptions) -> WebSocketHandlers<RoomGuest> {
        let room: Topic = "room"
        return WebSocketHandlers(
            options: options,
            open: { ws in
                ws.subscribe(to: room)
                ws.publish("* \(ws.data.name) joined", to: room)
            },
            message: { ws, message in ws.publish("\(ws.data.name): \(message.string)", to: room) },
            close: { ws, _, _ in ws.publish("* \(ws.data.name) left", to: room) })
    }
}

/// A socket of `/topic/T`, which publishes to `T` and hears the others, or of `/publish/T`, which only publishes.
struct TopicMember {
    let topic: Topic
    let subscribes: Bool

    /// - Throws: a refusal where the path names no topic.
    init(_ request: borrowing Request, subscribes: Bool) throws {
        let name = request.parameter("*") ?? ""
        topic = Topic("topic/" + name)
        self.subscribes = subscribes
        guard !name.isEmpty, topic.isValid else {
            throw Reply.response(.badRequest, "a topic's name has 1 to 1018 bytes\n")
        }
    }

    static func handlers(options: WebSocketOptions) -> WebSocketHandlers<TopicMember> {
        WebSocketHandlers(
            options: options,
            open: { ws in if ws.data.subscribes { ws.subscribe(to: ws.data.topic) } },
            message: { ws, message in ws.publish(message, to: ws.data.topic) })
    }
}
