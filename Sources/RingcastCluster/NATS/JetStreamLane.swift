import Ringcast

/// What is asked of one topic, in order.
final class JetStreamLane {
    let topic: Topic
    /// Not sent yet, but for the question about the stream.
    var waiting = FIFO<JetStreamRequest>()
    /// Appends that are sent.
    var unanswered = 0
    /// Whether a question about the stream is under way: whatever comes waits for its answer.
    var isAsking = false
    /// Questions since the stream was as it has to be.
    var attempts = 0
    /// Nil until it is known that the stream is there, and how its messages are numbered by this process of the server.
    var numbering: JetStreamNumbering?
    /// Whether the stream keeps as much as its rule says.
    var isBounded = false
    /// What the stream was when that was asked.
    var state: JetStreamAnswer.State?
    var isParked = false

    init(_ topic: Topic) { self.topic = topic }

    var isIdle: Bool { waiting.isEmpty && unanswered == 0 && !isAsking }
}

/// Something that is asked, until its answer is told.
final class JetStreamRequest {
    let request: HistoryRequest
    let lane: JetStreamLane
    var answer: HistoryAnswer?
    /// Of a read: what has been answered, messages by their places, and how many are under way.
    var page = HistoryAnswerPage()
    var messages: [HistoryPage.Message?] = []
    var awaited = 0
    /// Whether it counts among those that are being read.
    var isReading = false

    init(_ request: HistoryRequest, _ lane: JetStreamLane) { (self.request, self.lane) = (request, lane) }
}

extension JetStreamConversation {
    /// So many reads are begun at once: their answers are here until they are told.
    private static let readingLimit = 16
    /// So many questions may lead to no stream.
    private static let attemptLimit = 4

    /// Sends what need not wait. Appends go behind each other, in one write; a read behind the answers to what was
    /// appended before it; and what is appended behind it, behind the answer that says how far the topic had come.
    func pump(_ lane: JetStreamLane) {
        while !lane.isAsking, let next = lane.waiting.first {
            switch next.request {
            case .append(let append):
                guard let numbering = lane.numbering, lane.isBounded else { return askStream(of: lane) }
                _ = lane.waiting.popFirst()
                lane.unanswered += 1
                ask(
                    language.appendSubject(
                        of: append.topic, numbering.stream, retain: append.retain, epoch: numbering.epoch),
                    append.message,
                    headers: "NATS/1.0\r\nNats-Msg-Id: \(language.node)-\(append.number)\r\n\r\n", as: .append(next))
            case .read:
                guard lane.unanswered == 0 else { return }
                guard next.isReading || reading < Self.readingLimit || requests.first === next else {
                    return park(lane)
                }
                if !next.isReading { reading += 1 }
                next.isReading = true
                return askStream(of: lane)
            }
        }
        if lane.isIdle, lane.numbering == nil { lanes[lane.topic] = nil }
    }

    private func park(_ lane: JetStreamLane) {
        guard !lane.isParked else { return }
        lane.isParked = true
        parked.append(lane)
    }

    /// A request was told: another may begin, and the oldest one has to.
    func goOn(behind request: JetStreamRequest) {
        if request.isReading { reading -= 1 }
        if let oldest = requests.first { pump(oldest.lane) }
        while reading < Self.readingLimit, let lane = parked.popFirst() {
            lane.isParked = false
            pump(lane)
        }
    }

    private func askStream(of lane: JetStreamLane) {
        lane.isAsking = true
        ask("$JS.API.STREAM.INFO.\(language.stream(of: lane.topic))", as: .stream(lane))
    }

    /// The server has said what a topic's stream is, was made, or has become.
    func heard(_ answer: JetStreamAnswer, of lane: JetStreamLane) {
        lane.isAsking = false
        guard let next = lane.waiting.first else { return }
        lane.attempts += 1
        let isLast = lane.attempts > Self.attemptLimit
        switch (answer.error?.kind, next.request) {
        case (nil, _): heard(answer.config, answer.state, of: next, isLast: isLast)
        case (.noStream, .append(let append)) where !isLast: makeStream(for: append, lane)
        case (.noStream, .read):
            lane.numbering = nil
            end(next, .page(next.page))
        // Another node has made it meanwhile, or somebody has one that takes the same subjects.
        case (.nameTaken, _) where !isLast: askStream(of: lane)
        case (.nameTaken, _): end(next, .unusable("a stream of others is in its place"))
        default: end(next, .refused(answer.error?.sentence ?? "no reason"))
        }
        pump(lane)
    }

    private func makeStream(for append: HistoryAppend, _ lane: JetStreamLane) {
        lane.isAsking = true
        let stream = UInt64.random(in: 1...1 << 52)
        let configuration = JetStreamConfiguration(of: append.topic, stream, keeping: append.bounds, language)
        askStreams("CREATE", configuration, as: .stream(lane))
    }

    private func heard(
        _ configuration: JetStreamConfiguration?, _ state: JetStreamAnswer.State?, of next: JetStreamRequest,
        isLast: Bool
    ) {
        let lane = next.lane
        guard let configuration, let state, let label = JetStreamLabel(configuration, language),
            label.topic == lane.topic, state.isCountable
        else { return end(next, .unusable("its stream is not one that a node has made")) }
        var wanted = configuration
        if case .append(let append) = next.request { wanted.setBounds(append.bounds) }
        guard wanted == configuration else {
            guard !isLast else { return end(next, .refused("its stream cannot be configured")) }
            lane.isAsking = true
            return askStreams("UPDATE", wanted, as: .stream(lane))
        }
        lane.state = state
        if lane.numbering?.stream == label.stream { return goOn(with: next) }
        (lane.numbering, lane.isBounded, lane.isAsking) = (nil, false, true)
        let question = JetStreamQuestion(subject: language.noteSubject(of: lane.topic))
        ask("$JS.API.DIRECT.GET.\(language.head)", JSON.bytes(question), as: .note(lane, label.stream))
    }

    /// The server has said what the last note on a stream's numbering is; empty if there is none.
    func heard(note: [UInt8], on stream: UInt64, of lane: JetStreamLane) {
        let last = JetStreamNumbering(note: note, of: stream)
        if let last, last.run == run { return numbered(last, lane) }
        let next = last?.goingOn(in: run, behind: lane.state?.last ?? 0) ?? JetStreamNumbering(stream: stream, run: run)
        ask(language.noteSubject(of: lane.topic), Array(next.note.utf8), as: .noted(lane, next))
    }

    /// It is known how the topic's messages are numbered.
    func numbered(_ numbering: JetStreamNumbering, _ lane: JetStreamLane) {
        lane.isAsking = false
        lane.numbering = numbering
        if let next = lane.waiting.first { goOn(with: next) }
        pump(lane)
    }

    /// A note was refused.
    func heard(refusal: String, of lane: JetStreamLane) {
        lane.isAsking = false
        if let next = lane.waiting.first { end(next, .refused(refusal)) }
        pump(lane)
    }

    private func goOn(with next: JetStreamRequest) {
        let lane = next.lane
        lane.attempts = 0
        guard let numbering = lane.numbering, let state = lane.state else { return }
        if case .append = next.request {
            lane.isBounded = true
        } else {
            _ = lane.waiting.popFirst()
            read(next, of: numbering, state)
        }
    }

    /// Answers what is first in its lane.
    private func end(_ request: JetStreamRequest, _ answer: HistoryAnswer) {
        _ = request.lane.waiting.popFirst()
        request.lane.attempts = 0
        request.answer = answer
    }
}
