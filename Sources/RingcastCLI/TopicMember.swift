import Ringcast

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
