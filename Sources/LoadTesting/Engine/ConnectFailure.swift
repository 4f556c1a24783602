import Ringcast

extension WebSocketClientError {
    /// One sentence: what happened to an attempt to connect, and what to look at.
    var advice: String {
        switch self {
        case .cannotConnect(let address, let reason):
            "cannot connect to \(address): \(reason); is the server running, and is that where it listens?"
        case .refused(let answer):
            "the server answered \(answer.status) \(answer.reason) and no WebSocket: is that the right path?"
        case .invalidHandshake, .connectionLost:
            "\(self); is that a WebSocket server, and ws or wss as it should be?"
        default: "\(self)"
        }
    }
}
