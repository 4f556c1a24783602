import Ringcast

/// A guest of `/room`, which is the chat page's. Messages are lines: `NAME: TEXT` is what somebody says, `* NAME
/// joined` and `* NAME left` tell who comes and goes.
///
/// A room that remembers (`--history room=100`) ends each line with a tab and its position, sends guests their own
/// lines, too, and begins with a line of its own: `= NAME, NAME`, who is here. Who names a position (`?after=`) gets
/// what it has missed in front of that; where something of it is gone, a line `= gap`, and all that there is.
struct RoomGuest {
    static let topic: Topic = "room"

    static let stamping = Stamping.custom { message, position in
        guard case .text(let line) = message else { return message }
        return .text("\(line)\t\(position)")
    }

    let name: String
    let position: Position?

    /// - Parameters:
    ///   - name: cut to what the chat page can show.
    ///   - position: what the guest has seen, if it says so.
    init(name: String?, after position: String?) {
        let name = name ?? ""
        self.name = name.isEmpty ? "someone" : String(name.prefix(64))
        self.position = position.map { Position($0) ?? .oldest }
    }

    static func handlers(options: WebSocketOptions) -> WebSocketHandlers<RoomGuest> {
        WebSocketHandlers(
            options: options,
            open: { ws in
                ws.subscribe(to: topic)
                ws.publish("* \(ws.data.name) joined", to: topic)
            },
            message: { ws, message in ws.publish("\(ws.data.name): \(message.string)", to: topic) },
            close: { ws, _, _ in ws.publish("* \(ws.data.name) left", to: topic) })
    }

    static func rememberingHandlers(options: WebSocketOptions) -> WebSocketHandlers<RoomGuest> {
        var options = options
        options.publishToSelf = true
        return WebSocketHandlers(
            options: options,
            open: { ws in
                begin(ws, ws.subscribe(to: topic, as: ws.data.name, after: ws.data.position))
            },
            message: { ws, message in ws.publish("\(ws.data.name): \(message.string)", to: topic) },
            resumed: { ws, _, result in begin(ws, result) })
    }

    private static func begin(_ ws: WebSocket<RoomGuest>, _ result: Resumption) {
        var result = result
        if result == .gap {
            ws.unsubscribe(from: topic)
            ws.send("= gap")
            result = ws.subscribe(to: topic, as: ws.data.name, after: .oldest)
        }
        // Else it says so when the engine has answered.
        guard result != .resuming else { return }
        ws.send("= " + ws.server.presence(of: topic).map(\.id).sorted().joined(separator: ", "))
    }

    /// Tells a room that remembers who has come and gone: names, however many pages somebody has open.
    static func tell(_ server: Server, _ topic: Topic, _ change: PresenceChange) {
        server.publish("* \(change.id) \(change.kind == .joined ? "joined" : "left")", to: topic)
    }
}
