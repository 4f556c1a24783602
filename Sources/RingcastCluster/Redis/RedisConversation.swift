import CHiredis
import Ringcast

/// What is said on one connection to Redis: its password, then publishes or subscriptions. Answers come in the order of
/// the commands (https://redis.io/docs/latest/develop/reference/protocol-spec).
final class RedisConversation: EngineConversation {
    private let language: RedisLanguage
    private let purpose: LinkPurpose
    private let reader = RedisReader()
    private var stage: Stage

    private enum Stage {
        case authenticating, greeting, open
    }

    init(_ language: RedisLanguage, _ purpose: LinkPurpose) {
        (self.language, self.purpose) = (language, purpose)
        stage = language.password == nil ? .greeting : .authenticating
    }

    func greeting() -> [UInt8] { language.greeting }

    func read(_ bytes: UnsafeRawBufferPointer, _ tell: (EngineNews) throws(EngineFailure) -> Void)
        throws(EngineFailure)
    {
        try unsafe reader.read(bytes) { reply throws(EngineFailure) in
            if let news = try news(of: reply) { try tell(news) }
        }
    }

    private func news(of reply: RedisReply) throws(EngineFailure) -> EngineNews? {
        switch (stage, reply.kind) {
        case (.authenticating, .status):
            stage = .greeting
            return nil
        case (.greeting, .status):
            stage = .open
            return .ready
        case (.authenticating, .error):
            throw RedisLanguage.passwordRefused(reply)
        case (.greeting, .error):
            throw EngineFailure(reason: "Redis refuses this client: \(reply.text)")
        case (.open, .integer) where purpose == .publishing: return .confirmed
        case (.open, .error) where purpose == .publishing: return .refused(reply.text)
        case (.open, .status): return .probed
        case (.open, .array) where purpose == .receiving: return news(ofPush: reply)
        case (.open, .error): throw EngineFailure(reason: "Redis refuses a subscription: \(reply.text)")
        default: throw EngineFailure(reason: "Redis has said something that was not expected")
        }
    }

    /// What a subscribed connection gets: arrays that begin with what they are.
    private func news(ofPush reply: RedisReply) -> EngineNews? {
        guard let kind = unsafe reply[0] else { return nil }
        if unsafe kind.elementsEqual("message".utf8), let name = unsafe reply[1], let envelope = unsafe reply[2] {
            guard let kept = unsafe RedisHistoryEnvelope(envelope) else {
                return unsafe .message(name: name, envelope: envelope)
            }
            return unsafe topic(of: name).map { .kept(kept.message, at: kept.position, of: $0) }
        }
        if unsafe kind.elementsEqual("subscribe".utf8), language.remembers, let name = unsafe reply[1] {
            return unsafe topic(of: name).map { .following($0) }
        }
        return unsafe kind.elementsEqual("pong".utf8) ? .probed : nil
    }

    func appendInterest(_ isInterested: Bool, in topic: Topic, into bytes: inout [UInt8]) {
        RedisCommand.append(
            [Array((isInterested ? "SUBSCRIBE" : "UNSUBSCRIBE").utf8), language.channel(of: topic)], to: &bytes)
    }

    func appendProbe(into bytes: inout [UInt8]) { RedisCommand.append("PING", to: &bytes) }

    func topic(of name: UnsafeRawBufferPointer) -> Topic? { unsafe language.topic(of: name) }
}
