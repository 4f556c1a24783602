import Ringcast

/// What the engine in memory keeps of topics, as Redis does it (`Redis/RedisScripts.swift`), but without bounds
/// of age.
struct InMemoryHistories {
    private struct Entry {
        var epoch: UInt64
        /// The engine's start in which the numbering began.
        var start: Int
        var earlier: [Position] = []
        var last: UInt64 = 0
        var messages: [HistoryPage.Message] = []
        var retained: HistoryPage.Message?
    }

    /// Messages of a page.
    static let pageLimit = 50

    private var topics: [Topic: Entry] = [:]
    private var start = 0
    private var lastEpoch = UInt64.random(in: 1...1 << 40)

    /// Numbers and keeps a message.
    mutating func append(
        _ message: [UInt8], to topic: Topic, keeping bounds: TopicRule.History, retain: Bool
    ) -> Position {
        var entry = entry(of: topic) ?? Entry(epoch: nextEpoch(), start: start)
        entry.last += 1
        let kept = HistoryPage.Message(offset: entry.last, age: .zero, bytes: message)
        entry.messages.append(kept)
        if retain { entry.retained = kept }
        while entry.messages.count > bounds.messages || entry.messages.reduce(0, { $0 + $1.bytes.count }) > bounds.bytes
        {
            entry.messages.removeFirst()
        }
        topics[topic] = entry
        return Position(epoch: entry.epoch, offset: entry.last)
    }

    mutating func read(_ topic: Topic, after position: Position?, ticket: UInt64) -> HistoryPage {
        guard let entry = entry(of: topic) else {
            return HistoryPage(topic: topic, ticket: ticket, epoch: 0, first: 1, last: 0)
        }
        topics[topic] = entry
        var page = HistoryAnswerPage(
            epoch: entry.epoch, earlier: entry.earlier, first: entry.messages.first?.offset ?? entry.last + 1,
            last: entry.last)
        if let position {
            let offset = page.offset(behind: position)
            page.messages = Array(entry.messages.drop { $0.offset <= offset }.prefix(Self.pageLimit))
        } else {
            page.retained = entry.retained
        }
        return page.of(topic, ticket)
    }

    /// Forgets the newest messages of each topic, and begins anew: a position that nodes have may be of a lost one.
    mutating func restart(losing count: Int?) {
        start += 1
        guard let count else { return topics = [:] }
        for topic in topics.keys {
            let lost = min(count, topics[topic]!.messages.count)
            topics[topic]!.messages.removeLast(lost)
            topics[topic]!.last -= UInt64(lost)
        }
    }

    private mutating func nextEpoch() -> UInt64 {
        lastEpoch += 1
        return lastEpoch
    }

    private mutating func entry(of topic: Topic) -> Entry? {
        guard var entry = topics[topic] else { return nil }
        guard entry.start != start else { return entry }
        entry.earlier.insert(Position(epoch: entry.epoch, offset: entry.last), at: 0)
        entry.epoch = nextEpoch()
        entry.start = start
        return entry
    }
}
