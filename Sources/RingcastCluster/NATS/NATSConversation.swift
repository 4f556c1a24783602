import Ringcast

/// What is said on the connection on which messages are published and received. The server confirms no publish by
/// itself: the PONG for a PING behind some of them does. It confirms no subscription either: behind that of a topic
/// with history goes a PING of its own.
final class NATSConversation: EngineConversation {
    private enum Ping {
        case probe
        case subscription(Topic)
    }

    private let language: NATSLanguage
    private var session: NATSSession
    private var numbers: [Topic: UInt64] = [:]
    private var lastNumber: UInt64 = 0
    /// PINGs that have no PONG yet.
    private var pings = FIFO<Ping>()

    init(_ language: NATSLanguage) { (self.language, session) = (language, NATSSession(language)) }

    func greeting() -> [UInt8] { session.greeting() }

    func read(_ bytes: UnsafeRawBufferPointer, _ tell: (EngineNews) throws(EngineFailure) -> Void)
        throws(EngineFailure)
    {
        unsafe session.feed(bytes)
        var isMore = true
        while isMore {
            isMore = try session.next { event throws(EngineFailure) in
                if let news = try news(of: event) { try tell(news) }
            }
        }
    }

    private func news(of event: NATSSession.Event) throws(EngineFailure) -> EngineNews? {
        switch event {
        case .answer(let bytes): return .answer(bytes)
        case .startTLS: return .startTLS
        case .open: return .ready
        case .pong:
            switch pings.popFirst() {
            case .probe: return .probed
            case .subscription(let topic): return .following(topic)
            case nil: throw EngineFailure(reason: "NATS has answered what was not asked")
            }
        case .message(let message):
            guard let kept = unsafe language.kept(message.subject) else {
                return unsafe .message(name: message.subject, envelope: message.payload)
            }
            let headers = unsafe NATSHeaders(message.headers)
            guard let offset = headers.first("Nats-Sequence").flatMap({ UInt64($0) }) else { return nil }
            let position = Position(epoch: kept.epoch, offset: offset)
            return unsafe .kept([UInt8](message.payload), at: position, of: kept.topic)
        }
    }

    func appendInterest(_ isInterested: Bool, in topic: Topic, into bytes: inout [UInt8]) {
        if isInterested {
            guard numbers[topic] == nil else { return }
            lastNumber += 1
            numbers[topic] = lastNumber
            let isKept = language.isKept(topic)
            bytes += "SUB ".utf8
            bytes += isKept ? language.keptSubjects(of: topic) : language.subject(of: topic)
            bytes += " \(lastNumber)\r\n".utf8
            if isKept { appendPing(.subscription(topic), into: &bytes) }
        } else if let number = numbers.removeValue(forKey: topic) {
            bytes += "UNSUB \(number)\r\n".utf8
        }
    }

    func appendProbe(into bytes: inout [UInt8]) { appendPing(.probe, into: &bytes) }

    private func appendPing(_ ping: Ping, into bytes: inout [UInt8]) {
        pings.append(ping)
        bytes += "PING\r\n".utf8
    }

    func topic(of name: UnsafeRawBufferPointer) -> Topic? { unsafe language.topic(of: name) }
}
