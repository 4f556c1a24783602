import Ringcast

/// What is said on the connection on which histories are written and read, where a topic's history is a stream of
/// JetStream and a message's number its place there:
///
///     append ─▶ the stream, which numbers it, keeps it, and sends it on to the nodes that are subscribed
///     read   ─▶ what there is of the stream, then the messages, one by one
///
/// The server answers each question by a subject of its own, in any order. Those of one topic wait for each other in
/// its lane, as far as they have to; answers are told in the order of the requests.
final class JetStreamConversation: EngineConversation {
    enum Question {
        case retainedStream
        case stream(JetStreamLane)
        /// On which stream.
        case note(JetStreamLane, UInt64)
        case noted(JetStreamLane, JetStreamNumbering)
        case append(JetStreamRequest)
        /// Which one of a page.
        case message(JetStreamRequest, Int)
        case retained(JetStreamRequest)
        /// Behind so many streams.
        case list(Int)
        case removal
    }

    let language: NATSLanguage
    private var session: NATSSession
    /// The process of the server, or its cluster.
    private(set) var run = ""
    private var questions: [UInt64: Question] = [:]
    private var lastQuestion: UInt64 = 0
    /// What is to be said once what has come is understood.
    private var said: [UInt8] = []
    var requests = FIFO<JetStreamRequest>()
    var lanes: [Topic: JetStreamLane] = [:]
    /// Since when the oldest request is the oldest, in the clock's milliseconds.
    private var headSince: UInt64 = 0
    /// Reads that have begun and are not told, and those that wait for them.
    var reading = 0
    var parked = FIFO<JetStreamLane>()
    /// When to look for streams that nobody uses, in the clock's milliseconds.
    var nextSweep: UInt64

    init(_ language: NATSLanguage) {
        (self.language, session) = (language, NATSSession(language))
        // A cluster's nodes do it at different times.
        nextSweep = language.clock() + UInt64.random(in: 0..<Self.sweepInterval)
    }

    /// Milliseconds that one request may take: the server may have lost a question.
    private static let patience: UInt64 = 10_000

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
        while let request = requests.first, let answer = request.answer {
            _ = requests.popFirst()
            headSince = language.clock()
            try tell(.remembered(answer))
            goOn(behind: request)
        }
        let bytes = said
        said = []
        if !bytes.isEmpty { try tell(.answer(bytes)) }
    }

    private func news(of event: NATSSession.Event) throws(EngineFailure) -> EngineNews? {
        switch event {
        case .answer(let bytes): return .answer(bytes)
        case .startTLS: return .startTLS
        case .open(let server):
            run = server?.cluster ?? server?.id ?? "?"
            said += "SUB \(language.inbox)* 1\r\n".utf8
            askStreams("CREATE", JetStreamConfiguration(retainedOf: language), as: .retainedStream)
        case .pong:
            if requests.first != nil, language.clock() > headSince + Self.patience {
                throw EngineFailure(reason: "JetStream has not answered for 10 s")
            }
            return .probed
        case .message(let message):
            let name = unsafe String(decoding: message.subject.dropFirst(language.inbox.utf8.count), as: UTF8.self)
            guard let question = UInt64(name).flatMap({ questions.removeValue(forKey: $0) }) else { return nil }
            return try heard(message, about: question)
        }
        return nil
    }

    private func heard(_ message: NATSSession.Message, about question: Question) throws(EngineFailure) -> EngineNews? {
        let headers = unsafe NATSHeaders(message.headers)
        switch question {
        case .retainedStream:
            let answer = try Self.answer(message, headers)
            // It is there already, perhaps as somebody has configured it.
            guard answer.error == nil || answer.error?.kind == .nameTaken else {
                throw EngineFailure(reason: "JetStream refuses what histories need: \(answer.error?.sentence ?? "")")
            }
            return .ready
        case .stream(let lane): try heard(Self.answer(message, headers), of: lane)
        case .note(let lane, let stream):
            heard(note: headers.status == nil ? unsafe [UInt8](message.payload) : [], on: stream, of: lane)
        case .noted(let lane, let numbering):
            if let refusal = try Self.refusal(message, headers) {
                heard(refusal: refusal, of: lane)
            } else {
                numbered(numbering, lane)
            }
        case .append(let request):
            request.answer = try Self.refusal(message, headers).map { .refused($0) } ?? .appended
            request.lane.unanswered -= 1
            pump(request.lane)
        case .message(let request, let index):
            let number = headers.last("Nats-Sequence")
            heard(unsafe kept(message.payload, number, since: headers), at: index, of: request)
        case .retained(let request):
            // The stream of retained messages has numbers of its own, behind those of the topic's.
            let number = headers.first("Nats-Sequence")
            heardRetained(unsafe kept(message.payload, number, since: nil), of: request)
        case .list(let offset): heard(try Self.answer(message, headers), behind: offset)
        case .removal: break
        }
        return nil
    }

    /// Why a stream does not take what was published to it; nil if it does.
    private static func refusal(
        _ message: NATSSession.Message, _ headers: NATSHeaders
    ) throws(EngineFailure) -> String? {
        guard headers.status == nil else { throw EngineFailure(reason: "the stream of a history is gone") }
        if unsafe message.payload.starts(with: #"{"stream":"#.utf8) { return nil }
        return try answer(message, headers).error?.sentence
    }

    /// What the API has answered.
    /// - Throws: what does not depend on the question.
    private static func answer(
        _ message: NATSSession.Message, _ headers: NATSHeaders
    ) throws(EngineFailure) -> JetStreamAnswer {
        let answer = unsafe JSON.value(JetStreamAnswer.self, of: [UInt8](message.payload))
        if headers.status == 503 || answer?.error?.kind == .off {
            throw EngineFailure(
                reason: "topics with history need an engine that remembers: start NATS with JetStream "
                    + "(nats-server -js), or give their rules the scope .local")
        }
        guard let answer else { throw EngineFailure(reason: "JetStream has answered what nobody understands") }
        if let failure = answer.error, failure.kind == .passing {
            throw EngineFailure(reason: "JetStream cannot keep histories now: \(failure.sentence)")
        }
        return answer
    }

    // MARK: Asking

    func appendRequest(_ request: HistoryRequest, into bytes: inout [UInt8]) {
        let topic =
            switch request {
            case .append(let append): append.topic
            case .read(let topic, _, _): topic
            }
        let lane = lanes[topic] ?? JetStreamLane(topic)
        lanes[topic] = lane
        let waiting = JetStreamRequest(request, lane)
        if requests.isEmpty { headSince = language.clock() }
        requests.append(waiting)
        lane.waiting.append(waiting)
        pump(lane)
        takeSaid(into: &bytes)
    }

    func appendInterest(_ isInterested: Bool, in topic: Topic, into bytes: inout [UInt8]) {}

    func appendProbe(into bytes: inout [UInt8]) {
        if language.clock() >= nextSweep { beginSweep() }
        takeSaid(into: &bytes)
        bytes += "PING\r\n".utf8
    }

    func topic(of name: UnsafeRawBufferPointer) -> Topic? { nil }

    private func takeSaid(into bytes: inout [UInt8]) {
        bytes += said
        said = []
    }

    /// Asks something of the API about a stream.
    func askStreams(_ verb: String, _ configuration: JetStreamConfiguration, as question: Question) {
        ask("$JS.API.STREAM.\(verb).\(configuration.name)", JSON.bytes(configuration), as: question)
    }

    func ask(_ subject: String, _ payload: [UInt8] = [], headers: String = "", as question: Question) {
        lastQuestion += 1
        questions[lastQuestion] = question
        let lengths = headers.isEmpty ? "" : "\(headers.utf8.count) "
        said += "\(headers.isEmpty ? "PUB" : "HPUB") \(subject) \(language.inbox)\(lastQuestion) ".utf8
        said += "\(lengths)\(headers.utf8.count + payload.count)\r\n\(headers)".utf8
        said += payload
        said += "\r\n".utf8
    }
}
