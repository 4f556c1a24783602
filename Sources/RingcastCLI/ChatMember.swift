import Ringcast

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
