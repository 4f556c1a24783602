import HTTPTypes
import Ringcast

extension WebSocketClientError {
    /// One sentence: what happened to an attempt to connect, and what to look at.
    var advice: String {
        switch code {
        case .cannotConnect where detail == "Invalid argument": "\(self); --sources is for servers on 127.0.0.1"
        case .cannotConnect: "\(self); is the server running, and is that where it listens?"
        case .nameNotResolved: "\(self); is the host name in --url written as it should be?"
        case .timedOut:
            "\(self) (--connect-timeout): "
                + (phase == .connection
                    ? "nobody answers there; is the address right, or does a firewall drop it?"
                    : "something accepts connections and says nothing; is that a WebSocket server, and not too busy?")
        case .tls where detail?.contains("certificate") == true: "\(self); --insecure accepts any certificate"
        case .tls: "\(self); is that a wss server, or is it ws?"
        case .refused:
            answer.map {
                "the server answered \($0.status.code) \($0.status.reasonPhrase) and no WebSocket: \($0.advice)"
            } ?? "\(self)"
        case .invalidHandshake, .connectionLost:
            "\(self); is that a WebSocket server, and ws or wss as it should be?"
        default: "\(self)"
        }
    }
}

extension RefusedHandshake {
    /// What to look at when a server answers with this status.
    fileprivate var advice: String {
        switch status.code {
        case 300..<400:
            headers[.location].map { "it sends clients to \($0), which is what --url has to be" }
                ?? "it sends clients elsewhere"
        case 401, 403:
            "it wants to know who you are: say it with --token, --cookie, --header, or user:password@ in --url"
        case 429, 503: "it is full, limits connections, or is stopping; try fewer --connections or a --connect-rate"
        default: "is that the right path?"
        }
    }
}
