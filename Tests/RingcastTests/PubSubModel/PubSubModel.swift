import ReactorTesting
import WebSocketProtocol

@testable import Ringcast

/// The driver of the model test: members that do random things, round by round, and the mark at the end of a segment,
/// by which everybody who reads must have received what was due.
final class PubSubModel {
    static let loopCount = 3
    static let memberCount = 20
    static let topicCount = 6
    static let limit = 128 << 10

    struct Fault: Error, CustomStringConvertible { let description: String }

    private let server: Server
    private let board: ModelBoard
    /// What clients offer at random: the value of Sec-WebSocket-Extensions, or nothing.
    private let offers: [[String]]
    private var random: SeededGenerator
    /// One on every loop: it speaks the marks, hears the others', and never stops reading.
    private var conductors: [ModelMember] = []
    private var members: [ModelMember] = []
    /// Closed in this segment, everything read.
    private var gone: [ModelMember] = []
    private var nextMember = 0
    private var issuedCount = 0
    /// What this segment's messages can have added to anybody's queue.
    private var byteCount = 0
    private(set) var stepCount = 0
    /// What has happened in this segment.
    private var events: [[ModelBoard.Event]]
    private(set) var order: ModelOrder

    init(server: Server, board: ModelBoard, offers: [[String]] = [[]], seed: UInt64) {
        (self.server, self.board, self.offers) = (server, board, offers)
        random = SeededGenerator(seed: seed)
        events = Array(repeating: [], count: board.sourceCount)
        order = ModelOrder(board: board)
    }

    func run(steps: Int) throws {
        // Connections are spread evenly, so the first ones are one on each loop.
        conductors = try (0..<Self.loopCount).map { _ in try join(hasSmallBuffers: false) }
        guard Set(conductors.map(\.ledger.loop)).count == Self.loopCount else {
            throw Fault(description: "the first connections are not one on each loop")
        }
        // Its transcript is the order that all others are held against.
        for topic in ModelBoard.totalTopics { try command(conductors[0], "subscribe \(topic)") }
        try awaitExecution()
        while stepCount < steps {
            while members.count < Self.memberCount { members.append(try join(hasSmallBuffers: random.oneIn(2))) }
            for _ in 0..<Int.random(in: 1...8, using: &random) { try playRound() }
            if random.oneIn(4) { try closeOne() }
            try resumeSome()
            try mark()
            stallSome()
        }
        for member in members where member.isStalled { try resume(member) }
        try mark()
    }

    private func join(hasSmallBuffers: Bool) throws -> ModelMember {
        _ = board.beginRound()
        let id = nextMember
        nextMember += 1
        issuedCount += 1
        let client = try SocketClient(
            port: server.port, path: "/?member=\(id)", fields: offers.randomElement(using: &random)!,
            receiveBuffer: hasSmallBuffers ? 4096 : nil,
            segmentSize: hasSmallBuffers ? 536 : nil)
        try awaitExecution()
        guard let loop = board.loop(of: id) else { throw Fault(description: "\(id) was opened without its handler") }
        let ledger = ModelLedger(member: id, loop: loop, limit: Self.limit, board: board)
        return ModelMember(client: client, ledger: ledger, hasSmallBuffers: hasSmallBuffers)
    }

    /// Several members act at the same time, and the test's own thread with them.
    private func playRound() throws {
        _ = board.beginRound()
        for _ in 0..<Int.random(in: 1...10, using: &random) {
            stepCount += 1
            if random.oneIn(12) {
                let size = size()
                byteCount += size + ModelBoard.queuedCost
                board.publish(size, to: topic(), on: server)
            } else {
                let (member, words) = (members.randomElement(using: &random)!, randomCommand())
                if member.canSpeak { try command(member, words) }
            }
        }
        try awaitExecution()
    }

    private func randomCommand() -> String {
        switch Int.random(in: 0..<100, using: &random) {
        case ..<22: return "subscribe \(topic())"
        case ..<36: return "unsubscribe \(topic())"
        case ..<76: return publish(size(), count: 1)
        case ..<80: return publish(12, count: Int.random(in: 2...20, using: &random))
        // More than a lane holds.
        case 80: return publish(12, count: 600)
        // What fills a queue that nobody reads.
        case 81: return publish(2_000, count: 30)
        default:
            let size = size()
            byteCount += size + ModelBoard.queuedCost
            return "send \(members.randomElement(using: &random)!.id) \(size)"
        }
    }

    private func publish(_ size: Int, count: Int) -> String {
        byteCount += (size + ModelBoard.queuedCost) * count
        return "publish \(topic()) \(size) \(count)"
    }

    private func topic() -> Int { Int.random(in: 1...Self.topicCount, using: &random) }

    private func size() -> Int {
        random.oneIn(12) ? Int.random(in: 1_000...9_000, using: &random) : Int.random(in: 10...120, using: &random)
    }

    private func command(_ member: ModelMember, _ words: String) throws {
        issuedCount += 1
        try member.command(words)
    }

    /// Until the handlers have done everything that was asked for.
    private func awaitExecution() throws {
        for attempt in 0... {
            if board.executedCount >= issuedCount { return }
            if attempt > 200_000 { throw Fault(description: "not executed within ten seconds: \(whatIsMissing)") }
            pause(attempt < 50 ? .microseconds(1) : .microseconds(50))
        }
    }

    private var whatIsMissing: String {
        let waiting = (members + conductors + gone).filter { board.obeyedCount(of: $0.id) < $0.commandCount }
        guard !waiting.isEmpty else { return "no command; a socket was to be opened or closed" }
        return waiting.map { member in
            "\(member.commandCount - board.obeyedCount(of: member.id)) commands of \(member.id)"
                + (member.isStalled ? ", which does not read" : "")
                + ", \(member.client.connection.unacknowledgedByteCount) bytes not acknowledged"
        }.joined(separator: "; ")
    }

    /// The end of a segment: a last message from every source to everybody who reads, and the verdict on all before it.
    private func mark() throws {
        // A mark has to find room in the queue of everybody who reads.
        if byteCount > Self.limit / 2 { for member in members where !member.isStalled { try drain(member) } }
        byteCount = 0
        // What topics of total order have under way has come to its home once each loop has heard the others, and is in
        // front of whatever that one sends then.
        try speakMarks()
        let heard = events.map { $0.last(where: Self.isMark)?.number }
        for conductor in conductors {
            var ends = heard
            ends[conductor.ledger.loop] = nil
            try conductor.read(through: ends)
        }
        try speakMarks()
        enterChanges(events)
        let ends = events.map { $0.last(where: Self.isMark)?.number }
        for member in members + conductors + gone {
            if let fault = member.ledger.enter(events) { throw Fault(description: fault) }
        }
        for conductor in conductors {
            var ends = ends
            ends[conductor.ledger.loop] = events[conductor.ledger.loop].last?.number
            try finish(conductor, ends)
        }
        for member in members where !member.isStalled { try finish(member, ends) }
        for member in gone { if let fault = member.settle(&order) { throw Fault(description: fault) } }
        gone = []
        events = events.map { _ in [] }
    }

    private func speakMarks() throws {
        _ = board.beginRound()
        for conductor in conductors {
            try command(conductor, "publish \(ModelBoard.marks) 20 1")
            // Its own mark does not come back to it.
            try command(conductor, "send \(conductor.id) 20")
        }
        try awaitExecution()
        _ = board.beginRound()
        board.publish(20, to: ModelBoard.marks, on: server)
        for (source, more) in board.takeEvents().enumerated() { events[source] += more }
    }

    private static func isMark(_ event: ModelBoard.Event) -> Bool {
        if case .published(ModelBoard.marks, _, _) = event.act { true } else { false }
    }

    private func finish(_ member: ModelMember, _ ends: [Int?]) throws {
        do {
            try member.read(through: ends)
        } catch let failure as TCPClient.Failure {
            let lost = member.settle(&order)
            throw Fault(
                description: "\(member.id) did not receive every mark: \(failure.what); \(lost ?? "no loss else")")
        }
        if let fault = member.settle(&order) { throw Fault(description: fault) }
    }

    private func enterChanges(_ events: [[ModelBoard.Event]]) {
        let all = members + conductors + gone
        for (source, events) in events.enumerated() {
            for event in events {
                switch event.act {
                case .changed(let id, let topic, let isSubscribed):
                    let change = ModelLedger.Change(
                        round: event.round, number: event.number, isSubscribed: isSubscribed)
                    all.first { $0.id == id }?.ledger.note(change, topic: topic)
                case .left(let id):
                    let member = all.first { $0.id == id }
                    precondition(member == nil || member?.ledger.loop == source)
                    member?.ledger.left = (event.round, event.number)
                default: break
                }
            }
        }
    }

    // MARK: coming, going, and not reading

    private func closeOne() throws {
        let index = members.indices.randomElement(using: &random)!
        let member = members.remove(at: index)
        _ = board.beginRound()
        issuedCount += 1
        if member.isStalled || random.oneIn(3) {
            member.client.connection.reset()
        } else {
            try member.closeAndRead()
            gone.append(member)
        }
        try awaitExecution()
    }

    private func stallSome() {
        for member in members where member.hasSmallBuffers && random.oneIn(20) { member.isStalled = true }
    }

    private func resumeSome() throws {
        for member in members where member.isStalled && random.oneIn(12) { try resume(member) }
    }

    private func resume(_ member: ModelMember) throws {
        member.isStalled = false
        try drain(member)
    }

    /// It reads until nothing is queued for it any more.
    private func drain(_ member: ModelMember) throws {
        for _ in 0..<10_000 {
            try member.readAvailable()
            try command(member, "queued")
            try awaitExecution()
            if board.queuedByteCount(of: member.id) == 0 { return }
        }
        throw Fault(description: "\(member.id) reads, and its queue does not empty")
    }
}
