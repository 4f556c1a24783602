import PubSub
import SimulatedKernel

@testable import Ringcast

/// The topics with history of a world: the truth about them, who reads them, and who is there.
///
/// `@unchecked Sendable`, because one thread turns all loops of a world.
final class SimulationHistories: @unchecked Sendable {
    let topics: [String]
    private var histories: [String: SimulatedHistory] = [:]
    weak var server: SimulatedServer?
    private unowned let ledger: SimulationLedger
    /// By connection.
    var readers: [Int: SimulatedReader] = [:]
    /// Who is subscribed as somebody: connections by topic and name. One that closes is there until it is closed.
    var present: [String: [String: Set<Int>]] = [:]
    /// Who is there by what the server was told, by topic.
    var told: [String: Set<String>] = [:]
    /// The topics' entries, which nothing may keep behind the end of the world.
    private(set) var entries: [WeakEntry] = []

    /// Messages missing in front of those that came, for which only a full lane accounts.
    var missingCount = 0
    private(set) var resumeCount = 0
    private(set) var replayCount = 0
    private(set) var gapCount = 0

    init(_ plans: [HistoryPlan], _ ledger: SimulationLedger) {
        self.ledger = ledger
        topics = plans.map(\.topic)
        for plan in plans { histories[plan.topic] = SimulatedHistory(plan) }
    }

    subscript(topic: String) -> SimulatedHistory { histories[topic]! }

    private func complain(_ complaint: String?) {
        if let complaint { ledger.complain(complaint) }
    }

    // MARK: publishing

    func offer(_ message: Publication) { histories[message.topic]!.offered.insert(message) }

    /// Its publisher was told that nobody gets it.
    func refused(_ message: Publication) {
        guard histories[message.topic]!.offered.remove(message) == nil else { return }
        ledger.complain("\(message) was numbered, and its publisher told that it was dropped")
    }

    /// Notes that a message gets its number, and returns it with its place.
    func stamped(_ message: OwnedMessage, at position: Position, of topic: String) -> OwnedMessage {
        guard case .text(let text) = message, let loop = server?.core.currentLoop else {
            ledger.complain("\(topic) is stamped where no loop is")
            return message
        }
        var words = SimulationWords(text)
        guard let publication = Publication(&words) else {
            ledger.complain("what is stamped is no publication: \(text.prefix(40))")
            return message
        }
        note(position.epoch, of: topic)
        complain(histories[topic]!.number(publication, as: position, now: loop.now))
        return .text("m \(publication) @\(self[topic].last) \(words.remainder)")
    }

    /// Looks up what was numbered since the last time, where messages are not stamped. Called before anything else
    /// depends on it, and behind each turn of the topic's home loop.
    func look(at topic: String) {
        guard let server, let position = server.server.position(of: Topic(topic)) else { return }
        note(position.epoch, of: topic)
        let last = self[topic].last.offset
        guard last < position.offset, !self[topic].plan.isStamped else {
            if last != position.offset { ledger.complain("\(topic) stands at \(position.offset), not at \(last)") }
            return
        }
        let now = server.loops[Topic(topic).home(among: server.loops.count)].loop.now
        let before = Position(epoch: position.epoch, offset: UInt64(last))
        let kept = server.server.history(of: Topic(topic), after: before)
        for offset in UInt64(last + 1)...position.offset {
            var message: Publication?
            if let first = kept.first?.position.offset, offset >= first,
                case .text(let text) = kept[Int(offset - first)].message
            {
                message = Publication(text)
            }
            let place = Position(epoch: position.epoch, offset: offset)
            complain(histories[topic]!.number(message, as: place, now: now))
        }
    }

    /// Looks at what a loop may have numbered.
    func lookBehindTurn(of loop: Int) {
        guard let server else { return }
        for topic in topics where !self[topic].plan.isStamped {
            if Topic(topic).home(among: server.loops.count) == loop { look(at: topic) }
        }
    }

    private func note(_ epoch: UInt64, of topic: String) {
        guard self[topic].numberings.last?.epoch != epoch else { return }
        complain(histories[topic]!.begin(epoch))
        if let entry = server?.core.registry.find(Topic(topic)) { entries.append(WeakEntry(entry)) }
    }

    // MARK: subscribing

    /// The position that a place stands for: one of no numbering at all, if there is none of its number yet.
    func position(_ place: Place?, of topic: String) -> Position? {
        place.map { place in
            if place == .oldest { return .oldest }
            let numberings = self[topic].numberings
            let epoch = numberings.indices.contains(place.numbering - 1) ? numberings[place.numbering - 1].epoch : 1
            return Position(epoch: epoch, offset: UInt64(place.offset))
        }
    }

    /// The place that a client says; one of no numbering that ever is, if there is none of its number yet.
    func place(_ text: Substring, of topic: String) -> Place? {
        guard let place = Place(text), place.numbering > self[topic].numberings.count else { return Place(text) }
        return Place(numbering: .max, offset: place.offset)
    }

    /// Somebody has subscribed behind a place, by its loop's time, and was told what came of it. Returns what it is to
    /// hear.
    func subscribed(to topic: String, after place: Place?, _ resumption: Resumption, now: UInt64) -> SimulatedCourse {
        let expected = histories[topic]!.subscribe(after: place, now: now)
        if resumption != expected {
            let place = place?.description ?? "none"
            ledger.complain("who subscribed to \(topic) behind \(place) was told \(resumption), not \(expected)")
        }
        let last = self[topic].last
        var next = last.offset + 1
        switch expected {
        case .resumed(let count):
            resumeCount += 1
            replayCount += count
            next -= count
        case .gap: gapCount += 1
        case .new, .resuming, .unchanged: break
        }
        return SimulatedCourse(numbering: last.numbering, floor: last.offset, next: next)
    }

    // MARK: from outside

    /// A thread that is no loop has the server forget what is kept.
    func clear(_ topic: String) {
        guard let server else { return }
        look(at: topic)
        let expected = self[topic].keptCount
        let count = server.server.clearHistory(of: Topic(topic))
        if count != expected { ledger.complain("\(count) messages of \(topic) were forgotten, not \(expected)") }
        histories[topic]!.clear()
    }

    /// Everything is numbered, and what is kept is what has to be.
    func check() {
        guard let server else { return }
        for topic in topics {
            look(at: topic)
            let history = self[topic]
            if history.offered.count != history.unknownCount {
                let never = history.offered.first.map { "\($0) was never numbered" }
                ledger.complain(
                    never ?? "\(history.unknownCount) messages of \(topic) were numbered that nobody may have published"
                )
            }
            let kept = server.server.history(of: Topic(topic))
            // A thread that is no loop has no time of its own.
            let expected = history.kept(at: history.lastUse)
            guard kept.count == expected.count else {
                ledger.complain("\(topic) keeps \(kept.count) messages, not \(expected)")
                continue
            }
            for (offset, message) in zip(expected, kept) where Int(message.position.offset) != offset {
                ledger.complain("\(topic) keeps \(message.position), not \(offset)")
            }
        }
    }

    /// All that is kept is given back when it is forgotten.
    func checkEnd() {
        guard let server else { return }
        for topic in topics {
            clear(topic)
            let listed = server.server.presence(of: Topic(topic))
            if let member = listed.first { ledger.complain("\(member.id) is in \(topic) when all are gone") }
        }
        let kept = server.server.historyUsage
        if kept != TopicUsage(topics: 0, bytes: 0) {
            ledger.complain("\(kept.topics) topics keep \(kept.bytes) bytes when all was forgotten")
        }
    }
}

/// A topic's entry, if anybody keeps it.
struct WeakEntry {
    private(set) weak var entry: TopicEntry?

    init(_ entry: TopicEntry) { self.entry = entry }
}
