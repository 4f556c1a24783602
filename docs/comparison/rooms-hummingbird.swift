// Rooms on Hummingbird: ADMIN_KEY=secret swift run
import Foundation
import Hummingbird
import HummingbirdWebSocket
import NIOWebSocket

struct Login: Codable { let name: String }
struct Saying: Codable { let text: String }
struct Line: Codable { let name, text: String }
struct News: Codable {
    var members: [String]?
    var lines: [Line] = []
}

/// A member's socket: what is to be sent waits here, up to a bound.
struct Socket {
    enum Outgoing { case text(String), close(WebSocketErrorCode) }
    let id = UUID(), name: String
    let queue: AsyncStream<Outgoing>.Continuation

    /// Who does not take what waits for it is cut.
    func send(_ outgoing: Outgoing) {
        if case .dropped = queue.yield(outgoing) { queue.finish() }
    }
}

struct Room {
    var sockets: [UUID: Socket] = [:], lines: [Line] = []
    var members: [String] { Set(sockets.values.map(\.name)).sorted() }

    func publish(_ news: News) throws {
        let text = String(decoding: try JSONEncoder().encode(news), as: UTF8.self)
        for socket in sockets.values { socket.send(.text(text)) }
    }
}

actor Rooms {
    private var rooms: [String: Room] = [:]
    private(set) var messages = 0
    var members: [String: [String]] { rooms.mapValues(\.members) }
    var socketCount: Int { rooms.values.reduce(0) { $0 + $1.sockets.count } }

    func enter(_ socket: Socket, _ name: String) throws {
        try change(name) { room in
            room.sockets[socket.id] = socket
            let welcome = News(lines: room.lines)
            socket.send(.text(String(decoding: try JSONEncoder().encode(welcome), as: UTF8.self)))
            try room.publish(News(members: room.members))
        }
    }

    func leave(_ socket: Socket, _ name: String) throws {
        try change(name) { room in
            room.sockets[socket.id] = nil
            try room.publish(News(members: room.members))
        }
    }

    func say(_ text: String, _ socket: Socket, _ name: String) throws {
        messages += 1
        try change(name) { room in
            let line = Line(name: socket.name, text: text)
            room.lines = room.lines.suffix(49) + [line]
            try room.publish(News(lines: [line]))
        }
    }

    func empty(_ name: String) {
        for socket in rooms[name]?.sockets.values ?? [:].values { socket.send(.close(.goingAway)) }
    }

    private func change(_ name: String, _ body: (inout Room) throws -> Void) throws {
        var room = rooms.removeValue(forKey: name) ?? Room()
        defer { if !room.sockets.isEmpty { rooms[name] = room } }
        try body(&room)
    }
}

/// As the client of a database would be.
actor Accounts {
    private var names: [String: String] = [:]

    func name(of session: String?) -> String? { session.flatMap { names[$0] } }

    func logIn(_ name: String) -> String {
        let session = UUID().uuidString
        names[session] = name
        return session
    }
}

/// Five messages a second, and five at once.
struct Allowance {
    private var amount = 5.0, since = ContinuousClock.now

    mutating func mayTalk() -> Bool {
        let now = ContinuousClock.now
        amount = min(5, amount + (now - since) / .seconds(1) * 5)
        since = now
        guard amount >= 1 else { return false }
        amount -= 1
        return true
    }
}

struct AdminOnly<Context: RequestContext>: RouterMiddleware {
    let key: String

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard request.headers[.authorization] == "Bearer \(key)" else { throw HTTPError(.unauthorized) }
        return try await next(request, context)
    }
}

func isSameOrigin(_ request: Request) -> Bool {
    guard let origin = request.headers[.origin] else { return true }
    return URLComponents(string: origin).map { [$0.host, $0.port.map(String.init)].compactMap(\.self).joined(separator: ":") }
        == request.head.authority
}

let (rooms, accounts) = (Rooms(), Accounts())
guard let adminKey = ProcessInfo.processInfo.environment["ADMIN_KEY"] else { fatalError("ADMIN_KEY is not set") }
let page = try String(contentsOfFile: "page.html", encoding: .utf8)

let router = Router()
router.get("/") { _, _ in
    Response(
        status: .ok, headers: [.contentType: "text/html; charset=utf-8"],
        body: .init(byteBuffer: ByteBuffer(string: page)))
}
router.post("/login") { request, context in
    let body = try await request.body.collect(upTo: 65_536)
    guard let name = try? JSONDecoder().decode(Login.self, from: body).name, 1...32 ~= name.count else {
        throw HTTPError(.badRequest)
    }
    var response = Response(status: .noContent)
    let session = await accounts.logIn(name)
    response.setCookie(Cookie(name: "session", value: session, path: "/", httpOnly: true, sameSite: .lax))
    return response
}
let admin = router.group("/admin").add(middleware: AdminOnly(key: adminKey))
admin.get("/metrics") { _, _ in
    "# TYPE rooms_sockets gauge\nrooms_sockets \(await rooms.socketCount)\n"
        + "# TYPE rooms_messages_total counter\nrooms_messages_total \(await rooms.messages)\n"
}
admin.get("/rooms") { _, _ in await rooms.members }
admin.delete("/rooms/:room") { _, context in
    await rooms.empty(try context.parameters.require("room").removingPercentEncoding ?? "")
    return HTTPResponse.Status.noContent
}

let sockets = Router(context: BasicWebSocketRequestContext.self)
sockets.ws("/rooms/:room") { request, _ in
    let name = await accounts.name(of: request.cookies["session"]?.value)
    return name != nil && isSameOrigin(request) ? .upgrade() : .dontUpgrade
} onUpgrade: { inbound, outbound, context in
    let room = try context.requestContext.parameters.require("room").removingPercentEncoding ?? ""
    guard let name = await accounts.name(of: context.request.cookies["session"]?.value) else { return }
    let (queue, continuation) = AsyncStream.makeStream(of: Socket.Outgoing.self, bufferingPolicy: .bufferingOldest(1_000))
    let socket = Socket(name: name, queue: continuation)
    try await rooms.enter(socket, room)
    await withTaskGroup { group in
        group.addTask {
            for await outgoing in queue {
                switch outgoing {
                case .text(let text): try? await outbound.write(.text(text))
                case .close(let code): try? await outbound.close(code, reason: nil)
                }
            }
        }
        group.addTask {
            var allowance = Allowance()
            do {
                for try await message in inbound.messages(maxSize: 4_096) {
                    guard allowance.mayTalk() else { socket.send(.text("slower")); continue }
                    guard case .text(let json) = message,
                        let saying = try? JSONDecoder().decode(Saying.self, from: Data(json.utf8))
                    else { socket.send(.close(.dataInconsistentWithMessage)); continue }
                    try await rooms.say(saying.text, socket, room)
                }
            } catch {}
        }
        await group.next()
        group.cancelAll()
    }
    try await rooms.leave(socket, room)
}

let port = ProcessInfo.processInfo.environment["PORT"].flatMap { Int($0) } ?? 3000
let application = Application(
    router: router,
    server: .http1WebSocketUpgrade(webSocketRouter: sockets, configuration: .init(ws: .init(maxFrameSize: 4_096))),
    configuration: .init(address: .hostname("0.0.0.0", port: port)),
    onServerRunning: { _ in print("rooms on http://127.0.0.1:\(port)") })
try await application.runService()
