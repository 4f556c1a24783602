import FuzzSupport
import Ringcast

@testable import RingcastCluster

/// What an engine says to a node, on each kind of connection to it: any bytes, in any pieces.
enum EngineAnswers {
    static func run(_ input: inout FuzzInput) {
        let (kind, isLetIn) = (input.number(below: Connection.allCases.count), input.bool())
        let connection = Connection.allCases[kind]
        // Most inputs begin behind the greeting, which few would come through.
        let bytes = (isLetIn ? connection.greeting : []) + input.remainder()
        let told = replay(bytes) { hear($0, on: connection) }
        require(told.count <= bytes.count + 1, "more is told than was said")
    }

    /// Gives what the node makes of it, in order. Why it has heard enough may depend on the pieces, and with Redis
    /// when: a reply can be refused as it begins, or for how it ends.
    private static func hear(_ pieces: Pieces, on connection: Connection) -> [String] {
        let conversation = connection.makeConversation()
        _ = conversation.greeting()
        var told: [String] = []
        do {
            for piece in pieces {
                let result = piece.withUnsafeBytes { bytes in
                    Result { () throws(EngineFailure) in
                        try conversation.read(bytes) { told.append(text(of: $0, in: conversation)) }
                    }
                }
                try result.get()
            }
        } catch {
            require(!error.reason.isEmpty, "a connection ends without a reason")
            if connection == .nats || connection == .natsOverTLS { told.append("failed") }
        }
        return told
    }

    private static func text(of news: EngineNews, in conversation: any EngineConversation) -> String {
        switch news {
        case .message(let name, let envelope):
            let topic = conversation.topic(of: name)?.name ?? "?"
            return "\(topic): \(Envelope(envelope).map { [UInt8]($0.payload) } ?? [])"
        default: return "\(news)"
        }
    }
}

/// A kind of connection to an engine.
private enum Connection: CaseIterable {
    case redisPublishes, redisSubscriptions, redisHistories, nats, natsOverTLS

    func makeConversation() -> any EngineConversation {
        let redis = RedisLanguage(user: nil, password: "secret", prefix: Array("p:".utf8))
        return switch self {
        case .redisPublishes: redis.makeConversation(for: .publishing)
        case .redisSubscriptions: redis.makeConversation(for: .receiving)
        case .redisHistories: redis.makeConversation(for: .remembering)
        case .nats, .natsOverTLS:
            NATSLanguage(user: "ann", password: "secret", isSecure: self == .natsOverTLS, prefix: "p")
                .makeConversation(for: [.publishing, .receiving])
        }
    }

    /// What an engine says until it has let a client in; over TLS, until that begins.
    var greeting: [UInt8] {
        let text =
            switch self {
            case .redisPublishes, .redisSubscriptions: "+OK\r\n+PONG\r\n"
            case .redisHistories: "+OK\r\n+PONG\r\n$11\r\nrun_id:abcd\r\n$1\r\na\r\n$1\r\nb\r\n"
            case .nats: "INFO {\"max_payload\":1024}\r\nPONG\r\n"
            case .natsOverTLS: "INFO {\"tls_required\":true}\r\n"
            }
        return Array(text.utf8)
    }
}
