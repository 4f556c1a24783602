import Ringcast

/// A guest of `/room`, which is the chat page's: what one says goes to the others, and they are told who comes and
/// goes.
struct RoomGuest {
    let name: String

    /// Names are cut to what a chat page can show.
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
