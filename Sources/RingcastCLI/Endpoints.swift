import LoadTesting
import Ringcast

/// What `ringcast serve` answers at which path.
enum Endpoints {
    /// - Parameters:
    ///   - isOpen: whether everybody may use `/publish/T`, `/stats` and `/metrics` (`--open`).
    ///   - origin: whose pages may publish by HTTP, as they may by a WebSocket (`--origin`).
    ///   - remembersRoom: whether the room keeps its messages (`--history`).
    static func routes(
        options: WebSocketOptions, isOpen: Bool, origin: OriginPolicy, remembersRoom: Bool
    ) -> Routes {
        let topic = TopicMember.handlers(options: options)
        var routes = Routes()
        routes.get("/") { _ in
            .response(.ok, ChatPage.html, headers: [.contentType: "text/html; charset=utf-8"])
        }
        routes.webSocket("/echo", WebSocketHandlers(options: options, message: { ws, message in ws.send(message) }))
        routes.webSocket("/chat", ChatMember.handlers(options: options)) { ChatMember(name: $0.query("name")) }
        let room =
            remembersRoom ? RoomGuest.rememberingHandlers(options: options) : RoomGuest.handlers(options: options)
        routes.webSocket("/room", room) { RoomGuest(name: $0.query("name"), after: $0.query("after")) }
        routes.webSocket("/topic/*", topic) { try TopicMember($0, subscribes: true) }
        routes.webSocket("/sink", WebSocketHandlers(options: options, message: { _, _ in }))
        routes.get("/presence/*") { try TopicPages.presence(in: TopicMember.topic(of: $0), on: $0.server) }
        if !isOpen { routes.use { request, next in isLocal(request) ? try next(request) : forbidden } }
        routes.webSocket("/publish/*", topic) { try TopicMember($0, subscribes: false) }
        routes.post("/publish/*") { try TopicPages.publish($0, to: TopicMember.topic(of: $0), from: origin) }
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
        guard let json = try? JSON.text(StatisticsReport(of: server)) else {
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

/// A socket of `/topic/T`, which publishes to `T` and hears the others, or of `/publish/T`, which only publishes.
///
/// `?as=` subscribes as somebody. `?after=` goes on behind a position: the socket gets what it has missed, then one
/// message that says what came of it: `{"resumed":3}`, or `{"gap":"81.7"}` with the position to go on from.
struct TopicMember {
    let topic: Topic
    let subscribes: Bool
    let id: String?
    /// What a client has named, which may be anything.
    let position: String?

    /// - Throws: a refusal where the path names no topic.
    init(_ request: borrowing Request, subscribes: Bool) throws {
        topic = try Self.topic(of: request)
        self.subscribes = subscribes
        id = request.query("as")
        position = request.query("after")
    }

    /// The topic that a path ends with.
    /// - Throws: a refusal where that is none.
    static func topic(of request: borrowing Request) throws -> Topic {
        let name = request.parameter("*") ?? ""
        let topic = Topic("topic/" + name)
        guard !name.isEmpty, topic.isValid else {
            throw Reply.response(.badRequest, "a topic's name has 1 to 1018 bytes\n")
        }
        return topic
    }

    static func handlers(options: WebSocketOptions) -> WebSocketHandlers<TopicMember> {
        WebSocketHandlers(
            options: options,
            open: { ws in if ws.data.subscribes { ws.data.subscribe(ws) } },
            message: { ws, message in ws.publish(message, to: ws.data.topic) },
            resumed: { ws, topic, result in ws.data.tell(ws, result, newest: ws.server.position(of: topic) ?? .oldest) }
        )
    }

    private func subscribe(_ ws: WebSocket<TopicMember>) {
        // What is no position is one that is gone.
        let position = position.map { Position($0) ?? Position(epoch: 0, offset: .max) }
        let newest = ws.server.position(of: topic) ?? .oldest
        let result =
            if let id { ws.subscribe(to: topic, as: id, after: position) } else {
                ws.subscribe(to: topic, after: position)
            }
        if position != nil { tell(ws, result, newest: newest) }
    }

    private func tell(_ ws: WebSocket<TopicMember>, _ result: Resumption, newest: Position) {
        switch result {
        case .resuming: break
        case .resumed(let count): ws.send("{\"resumed\":\(count)}")
        default: ws.send("{\"gap\":\"\(newest)\"}")
        }
    }
}
