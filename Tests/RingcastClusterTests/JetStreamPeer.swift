import Ringcast
import Synchronization

@testable import RingcastCluster

/// A server with JetStream as a conversation sees it, which answers when the test says so.
final class JetStreamPeer {
    struct Question {
        let subject: String
        let reply: String
        let headers: String
        let payload: String
    }

    final class Clock: Sendable {
        private let time = Mutex<UInt64>(1_767_225_600_000)
        var now: UInt64 { time.withLock { $0 } }
        func withLock(_ body: (inout UInt64) -> Void) { time.withLock { body(&$0) } }
    }

    let now = Clock()
    let language: NATSLanguage
    let conversation: any EngineConversation
    /// What was asked and not taken.
    private(set) var questions: [Question] = []
    /// Streams that were made or changed.
    private(set) var made: [String: JetStreamConfiguration] = [:]
    private(set) var pages: [HistoryAnswerPage] = []
    private let run: String

    static let noStream = #"{"error":{"code":404,"err_code":10059,"description":"stream not found"}}"#

    init(run: String = "R") {
        self.run = run
        let now = now
        language = NATSLanguage(
            user: nil, password: nil, isSecure: false, prefix: "rc", node: "n", history: { _ in true },
            clock: { now.now })
        conversation = language.makeConversation(for: .remembering)
    }

    static func greeted(run: String = "R") throws -> JetStreamPeer {
        let peer = JetStreamPeer(run: run)
        _ = try peer.greet()
        _ = peer.takeQuestions()
        return peer
    }

    /// - Parameter answer: to the question for the stream of retained messages; nil where nobody answers.
    func greet(answer: String? = "{}") throws(EngineFailure) -> [String] {
        _ = try hear("INFO {\"server_id\":\"\(run)\"}\r\nPONG\r\n")
        guard let answer else { return try sayStatus(503, to: questions[0]) }
        return try say(answer, to: questions[0])
    }

    /// Makes a topic's stream by a message; the epoch of its numbering.
    func stream(of topic: Topic) throws -> UInt64 {
        append("first", to: topic, number: UInt64(made.count + 1))
        _ = try answerNoStream()
        guard let configuration else { throw EngineFailure(reason: "no stream was made") }
        _ = try answer(configuration, first: 0, last: 0)
        _ = try answerNote()
        for number in 0..<2 { _ = try acknowledge(number) }
        return JetStreamNumbering(stream: JetStreamLabel(configuration, language)?.stream ?? 0, run: run).epoch
    }

    // MARK: Asked

    func append(_ text: String, to topic: Topic, number: UInt64) {
        request(
            .append(
                HistoryAppend(
                    number: number, message: Array(text.utf8), topic: topic, bounds: .init(messages: 5), retain: false))
        )
    }

    func read(_ topic: Topic, after position: Position?) { request(.read(topic, after: position, ticket: 1)) }

    private func request(_ request: HistoryRequest) {
        var bytes: [UInt8] = []
        conversation.appendRequest(request, into: &bytes)
        take(bytes)
    }

    /// Answers a probe.
    func probe() throws(EngineFailure) -> [String] {
        _ = probing()
        return try hear("PONG\r\n")
    }

    /// What is asked with a probe.
    func probing() -> [Question] {
        var bytes: [UInt8] = []
        conversation.appendProbe(into: &bytes)
        take(bytes)
        return questions
    }

    /// The subjects of what was asked since the last answer.
    var heard: [String] { questions.map(\.subject) }

    /// What was asked of a stream last.
    var configuration: JetStreamConfiguration? {
        questions.last.flatMap { JSON.value(JetStreamConfiguration.self, of: Array($0.payload.utf8)) }
    }

    /// The note that is to be written.
    var note: String? { questions.last?.payload }

    func takeQuestions() -> [Question] {
        defer { questions = [] }
        return questions
    }

    // MARK: Answered

    func answerNoStream() throws(EngineFailure) -> [String] { try say(Self.noStream, to: takeQuestions()[0]) }

    /// Answers the question for the last note.
    func answerNote(_ note: String? = nil) throws(EngineFailure) -> [String] {
        let question = takeQuestions()[0]
        guard let note else { return try sayMissing(to: question) }
        return try say(note, to: question, "Nats-Sequence: 1")
    }

    func answer(
        _ configuration: JetStreamConfiguration, first: UInt64, last: UInt64, to question: Question? = nil
    ) throws(EngineFailure) -> [String] {
        made[configuration.name] = configuration
        let question = question ?? takeQuestions()[0]
        return try say(Self.info(configuration, first: first, last: last, time: "2026-01-01T00:00:00Z"), to: question)
    }

    static func info(_ configuration: JetStreamConfiguration, first: UInt64, last: UInt64, time: String) -> String {
        let config = String(decoding: JSON.bytes(configuration), as: UTF8.self)
        let count = last == 0 ? 0 : last - first + 1
        return """
            {"config":\(config),"created":"2026-01-01T00:00:00Z","state":{"messages":\(count),"bytes":\(count * 100),\
            "first_seq":\(first),"last_seq":\(last),"last_ts":"\(time)"}}
            """
    }

    /// Answers the oldest append.
    func acknowledge(_ number: Int) throws(EngineFailure) -> [String] {
        try say("{\"stream\":\"x\", \"seq\":\(number)}", to: questions.removeFirst())
    }

    func say(_ text: String, to question: Question, _ fields: String...) throws(EngineFailure) -> [String] {
        guard !fields.isEmpty else { return try hear("MSG \(question.reply) 1 \(text.utf8.count)\r\n\(text)\r\n") }
        let headers = "NATS/1.0\r\n\(fields.joined(separator: "\r\n"))\r\n\r\n"
        return try say(text, to: question, headers: headers)
    }

    func sayMissing(to question: Question) throws(EngineFailure) -> [String] {
        try say("", to: question, headers: "NATS/1.0 404 Message Not Found\r\n\r\n")
    }

    func sayStatus(_ status: Int, to question: Question) throws(EngineFailure) -> [String] {
        try say("", to: question, headers: "NATS/1.0 \(status)\r\n\r\n")
    }

    private func say(_ text: String, to question: Question, headers: String) throws(EngineFailure) -> [String] {
        let count = headers.utf8.count
        return try hear("HMSG \(question.reply) 1 \(count) \(count + text.utf8.count)\r\n\(headers)\(text)\r\n")
    }

    private func hear(_ text: String) throws(EngineFailure) -> [String] {
        var told: [String] = []
        let bytes = Array(text.utf8)
        let result = unsafe bytes.withUnsafeBytes { bytes in
            Result { () throws(EngineFailure) in
                try unsafe conversation.read(bytes) { news in
                    if case .answer(let bytes) = news { return take(bytes) }
                    if case .remembered(.page(let page)) = news { pages.append(page) }
                    told.append(conversation.describe(news))
                }
            }
        }
        try result.get()
        return told
    }

    /// Takes apart what is said.
    private func take(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while let end = rest.firstIndex(of: 13) {
            let words = String(decoding: rest[..<end], as: UTF8.self).split(separator: " ").map(String.init)
            rest = rest[(end + 2)...]
            guard words[0].hasSuffix("PUB"), let count = words.last.flatMap({ Int($0) }) else { continue }
            let headers = words[0] == "HPUB" ? Int(words[3]) ?? 0 : 0
            let payload = rest.prefix(count)
            rest = rest.dropFirst(count + 2)
            questions.append(
                Question(
                    subject: words[1], reply: words[2],
                    headers: String(decoding: payload.prefix(headers), as: UTF8.self),
                    payload: String(decoding: payload.dropFirst(headers), as: UTF8.self)))
        }
    }
}
