import Ringcast
import RingcastJSON

struct Login: Codable { let name: String }
struct Saying: Codable { let text: String }
extension Member { var topic: Topic { "room/\(room)" } }
let topicRules: [TopicRule] = [.matching("room/*", order: .total)]  // everybody hears one conversation

func makeSockets(_ rooms: Rooms) -> WebSocketHandlers<Member> {
    let rate = MessageRateLimit(messagesPerSecond: 5, excess: .reply(.text("slower")))
    return WebSocketHandlers(
        options: .init(maxPayloadLength: 4_096, messageRate: rate, publishToSelf: true),
        open: { ws in
            ws.subscribe(to: ws.data.topic)  // before it asks what there is, so that it misses nothing
            let room = rooms.change(ws.data.room) { $0.sockets[ws.id] = ws.data.name }
            try ws.send(json: News(number: room.number, lines: room.lines))
            try ws.publish(json: News(number: room.number, members: room.members), to: ws.data.topic)
        },
        message: { ws, message in
            guard let text = try? message.decode(Saying.self).text else { return ws.close(.invalidPayload) }
            let room = rooms.change(ws.data.room) { room in
                room.lines = room.lines.suffix(49) + [Line(number: room.number, name: ws.data.name, text: text)]
            }
            try ws.publish(json: News(number: room.number, lines: room.lines.suffix(1)), to: ws.data.topic)
        },
        close: { ws, _, _ in
            let room = rooms.change(ws.data.room) { $0.sockets[ws.id] = nil }
            try ws.publish(json: News(number: room.number, members: room.members), to: ws.data.topic)
        })
}

func makeRoutes(_ accounts: Accounts = Accounts(), adminKey: String) -> Routes {
    let rooms = Rooms()
    var routes = Routes()
    routes.get("/") { _ in .response(.ok, page, headers: [.contentType: "text/html; charset=utf-8"]) }
    routes.post("/login", within: .seconds(5)) { request in
        guard let name = try? request.json(Login.self).name, 1...32 ~= name.count else { return .response(.badRequest) }
        let cookie = SetCookie("session", await accounts.logIn(name), isSecure: request.isSecure)!
        return .response(.noContent).setting(cookie)
    }
    routes.webSocket("/rooms/:room", makeSockets(rooms), within: .seconds(5)) { request in
        guard let name = await accounts.name(of: request.cookie("session")) else { throw Reply.response(.unauthorized) }
        return Member(name: name, room: request.parameter("room")!)
    }
    routes.group("/admin") { admin in
        admin.use(.bearerToken(adminKey))
        admin.get("/metrics") { .metrics(of: $0.server) }
        admin.get("/rooms") { _ in .json(rooms.members) }
        admin.delete("/rooms/:room", within: .seconds(5)) { request in  // everybody out
            let sockets = await request.server.sockets(in: "room/\(request.parameter("room")!)", of: Member.self)
            for socket in sockets { socket.close(.goingAway) }
            return .response(.noContent)
        }
    }
    return routes
}
