import LoadTesting
import Ringcast

/// What `ringcast serve` answers at which path.
final class Endpoints: Sendable {
    private let echo: WebSocketHandlers<Void>
    private let chat: WebSocketHandlers<ChatMember>
    private let room: WebSocketHandlers<RoomGuest>
    private let topic: WebSocketHandlers<TopicMember>
    private let sink: WebSocketHandlers<Void>
    /// Whether everybody may use `/publish/T` and `/stats` (`--open`).
    private let isOpen: Bool

    init(options: WebSocketOptions, isOpen: Bool) {
        self.isOpen = isOpen
        echo = WebSocketHandlers(options: options, message: { ws, message in ws.send(message) })
        sink = WebSocketHandlers(options: options, message: { _, _ in })
        chat = ChatMember.handlers(options: options)
        room = RoomGuest.handlers(options: options)
        topic = TopicMember.handlers(options: options)
    }

    func answer(_ request: borrowing Request) -> Reply {
        switch request.path {
        case "/": page(request)
        case "/echo": .upgrade(to: echo)
        case "/chat": .upgrade(to: chat, with: ChatMember(name: request.query("name")))
        case "/room": .upgrade(to: room, with: RoomGuest(name: request.query("name")))
        case "/sink": .upgrade(to: sink)
        case "/stats": isPermitted(request) ? statistics(of: request.server) : Self.forbidden
        case let path: topicReply(path, request)
        }
    }

    private func page(_ request: borrowing Request) -> Reply {
        guard request.method == .get || request.method == .head else {
            return .response(.methodNotAllowed, headers: [.allow: "GET, HEAD"])
        }
        return .response(.ok, ChatPage.html, headers: [.contentType: "text/html; charset=utf-8"])
    }

    /// Whether a request may do what is for this machine alone. One that a proxy has passed on comes from elsewhere.
    private func isPermitted(_ request: borrowing Request) -> Bool {
        if isOpen { return true }
        guard request.header(.xForwardedFor) == nil, request.header(Self.forwarded) == nil else { return false }
        return request.remoteAddress.map { address in Self.local.contains { $0.contains(address) } } ?? false
    }

    private static let forwarded = HTTPField.Name("Forwarded")!
    private static let local: [AddressRange] = ["127.0.0.0/8", "::1", "unix"]
    private static var forbidden: Reply {
        .response(.forbidden, "this is for clients on the server's machine, unless it was started with --open\n")
    }

    private func statistics(of server: Server) -> Reply {
        guard let json = try? JSON.text(StatisticsReport(loops: server.statistics)) else {
            return .response(.serviceUnavailable)
        }
        return .response(
            .ok, json + "\n",
            headers: [.contentType: "application/json", .cacheControl: "no-store"])
    }

    /// Answers `/topic/T` and `/publish/T`, and all paths that are none of ours.
    private func topicReply(_ path: String, _ request: borrowing Request) -> Reply {
        for (prefix, subscribes) in [("/topic/", true), ("/publish/", false)] where path.hasPrefix(prefix) {
            let topic = Topic("topic/" + path.dropFirst(prefix.count))
            guard path.utf8.count > prefix.utf8.count, topic.isValid else {
                return .response(.badRequest, "a topic's name has 1 to 1018 bytes\n")
            }
            guard subscribes || isPermitted(request) else { return Self.forbidden }
            return .upgrade(to: self.topic, with: TopicMember(topic: topic, subscribes: subscribes))
        }
        return .response(.notFound, "there is nothing here\n")
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

    static func handlers(options: WebSocketOptions) -> WebSocketHandlers<TopicMember> {
        WebSocketHandlers(
            options: options,
            open: { ws in if ws.data.subscribes { ws.subscribe(to: ws.data.topic) } },
            message: { ws, message in ws.publish(message, to: ws.data.topic) })
    }
}
