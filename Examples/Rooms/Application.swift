import Ringcast
import RingcastJSON

struct Login: Codable { let name: String }
struct Saying: Codable { let text: String }

let sockets = WebSocketHandlers<Member>(
    options: .init(
        maxPayloadLength: 4_096, messageRate: .init(messagesPerSecond: 5, excess: .reply(.text("slower"))),
        publishToSelf: true),
    open: { ws in
        ws.subscribe(to: .members(of: ws.data.topic))  // before it asks who is there, so that it misses nobody
        ws.subscribe(to: ws.data.topic, as: ws.data.name, after: .oldest)
        try ws.send(json: News(members: ws.server.members(of: ws.data.topic)))
    },
    message: { ws, message in
        guard let text = try? message.decode(Saying.self).text else { return ws.close(.invalidPayload) }
        try ws.publish(json: News(lines: [.init(name: ws.data.name, text: text)]), to: ws.data.topic)
    })

func makeRoutes(_ accounts: Accounts = Accounts(), adminKey: String) -> Routes {
    var routes = Routes()
    routes.get("/") { _ in .response(.ok, page, headers: [.contentType: "text/html; charset=utf-8"]) }
    routes.post("/login", within: .seconds(5)) { request in
        guard let name = try? request.json(Login.self).name, 1...32 ~= name.count else { return .response(.badRequest) }
        let cookie = SetCookie("session", await accounts.logIn(name), isSecure: request.isSecure)!
        return .response(.noContent).setting(cookie)
    }
    routes.webSocket("/rooms/:room", sockets, within: .seconds(5)) { request in
        guard let name = await accounts.name(of: request.cookie("session")) else { throw Reply.response(.unauthorized) }
        return Member(name: name, room: request.parameter("room")!)
    }
    routes.group("/admin") { admin in
        admin.use(.bearerToken(adminKey))
        admin.get("/metrics") { .metrics(of: $0.server) }
        admin.get("/rooms") { request in
            let server = request.server
            let rooms = server.topics.map(\.topic).filter { $0.name.hasPrefix("room/") }
            let members = rooms.map { (String($0.name.dropFirst(5)), server.members(of: $0)) }
            return .json(Dictionary(uniqueKeysWithValues: members))
        }
        admin.delete("/rooms/:room", within: .seconds(5)) { request in  // everybody out
            let sockets = await request.server.sockets(in: "room/\(request.parameter("room")!)", of: Member.self)
            for socket in sockets { socket.close(.goingAway) }
            return .response(.noContent)
        }
    }
    return routes
}
