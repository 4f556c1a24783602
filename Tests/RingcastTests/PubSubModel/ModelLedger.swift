import Ringcast

/// What one member may and must receive by SEMANTICS.md, and what it did receive.
struct ModelLedger {
    /// A message on its way to the member.
    struct Due {
        var number: Int
        var isRequired: Bool
        /// Nil: it was sent to this member alone.
        var topic: Int?

        var isOfEvictingTopic: Bool { topic.map(ModelBoard.evictingTopics.contains) ?? false }
    }

    struct Change {
        var round: Int
        var number: Int
        var isSubscribed: Bool
    }

    let member: Int
    let loop: Int
    let limit: Int
    /// When it was closed, by the round and by the number on its loop.
    var left: (round: Int, number: Int)?

    private var subscriptions: Set<Int> = []
    private var changes: [Int: [Change]] = [:]
    /// By stream.
    private var due: [[Due]]
    private let board: ModelBoard
    /// Bytes that may be queued for it. Below the limit nothing may be dropped.
    private var pendingByteCount = 0

    init(member: Int, loop: Int, limit: Int, board: ModelBoard) {
        (self.member, self.loop, self.limit, self.board) = (member, loop, limit, board)
        due = Array(repeating: [], count: board.streamCount)
    }

    func isSubscribed(to topic: Int) -> Bool { changes[topic]?.last?.isSubscribed ?? subscriptions.contains(topic) }

    mutating func note(_ change: Change, topic: Int) { changes[topic, default: []].append(change) }

    /// What happened in a segment adds to what is due. Returns a fault of a publish's result.
    mutating func enter(_ events: [[ModelBoard.Event]]) -> String? {
        var fault: String?
        var entered: [[Due]] = Array(repeating: [], count: due.count)
        for (source, events) in events.enumerated() {
            for event in events {
                guard let isRequired = isRequired(event, from: source) else { continue }
                let stream = board.stream(of: source, topic: event.topic)
                entered[stream].append(Due(number: event.number, isRequired: isRequired, topic: event.topic))
                pendingByteCount += event.byteCount
                if isRequired, case .published(_, _, .dropped) = event.act {
                    fault =
                        "message \(event.number) of \(source) was said to reach nobody, but \(member) was subscribed"
                }
            }
        }
        // A queue that may have been at its limit may have dropped any of them, and older ones that may be evicted.
        let mayDrop = pendingByteCount >= limit
        for stream in due.indices {
            if mayDrop {
                for index in due[stream].indices where due[stream][index].isOfEvictingTopic {
                    due[stream][index].isRequired = false
                }
                for index in entered[stream].indices { entered[stream][index].isRequired = false }
            }
            due[stream] += entered[stream]
        }
        for (topic, changes) in changes {
            if changes.last!.isSubscribed { subscriptions.insert(topic) } else { subscriptions.remove(topic) }
        }
        changes = [:]
        return fault
    }

    /// Holds what came against what was due. Everything due is settled by it.
    mutating func settle(_ received: [(stream: Int, number: Int)]) -> String? {
        var next = Array(repeating: 0, count: due.count)
        for message in received {
            let list = due[message.stream]
            var index = next[message.stream]
            while index < list.count, list[index].number < message.number {
                if list[index].isRequired { return lost(list[index], of: message.stream) }
                index += 1
            }
            guard index < list.count, list[index].number == message.number else {
                return
                    """
                    message \(message.number) of stream \(message.stream) came to \(member) twice, out of order, or \
                    without its subscription
                    """
            }
            next[message.stream] = index + 1
        }
        for stream in due.indices {
            if let missing = due[stream][next[stream]...].first(where: \.isRequired) {
                return lost(missing, of: stream)
            }
            due[stream] = []
        }
        pendingByteCount = 0
        return nil
    }

    private func lost(_ message: Due, of stream: Int) -> String {
        let topic = message.topic.map { ", to topic \($0)," } ?? ""
        return "message \(message.number) of stream \(stream)\(topic) did not come to \(member)"
    }

    /// Whether an event's message must come; nil: it must not.
    private func isRequired(_ event: ModelBoard.Event, from source: Int) -> Bool? {
        if let left, source == loop ? event.number > left.number : event.round > left.round { return nil }
        switch event.act {
        case .joined, .left, .changed: return nil
        case .sent(let receiver, let result):
            guard receiver == member else { return nil }
            // A refused one never comes; one that is on its way when the socket closes is lost.
            if case .dropped = result { return nil }
            return source == loop || left == nil
        case .published(let topic, let publisher, _):
            guard publisher != member else { return nil }
            if ModelBoard.totalTopics.contains(topic), source == loop { return isRequiredByWay(event, topic) }
            return source == loop ? isRequiredAtHome(event, topic) : isRequiredFromAbroad(event, topic)
        }
    }

    /// On one loop everything has an order.
    private func isRequiredAtHome(_ event: ModelBoard.Event, _ topic: Int) -> Bool? {
        let last = changes[topic]?.last { $0.number < event.number }
        return last?.isSubscribed ?? subscriptions.contains(topic) ? true : nil
    }

    /// What is published to a topic of total order goes its way over the topic's home, from this loop too: a change
    /// behind it may or may not count.
    private func isRequiredByWay(_ event: ModelBoard.Event, _ topic: Int) -> Bool? {
        let changes = changes[topic] ?? []
        let before = changes.last { $0.number < event.number }?.isSubscribed ?? subscriptions.contains(topic)
        let later = changes.filter { $0.number > event.number }
        if before { return left == nil && later.allSatisfy(\.isSubscribed) }
        return later.contains(where: \.isSubscribed) ? false : nil
    }

    /// Between loops only what did not overlap has one: a change in the publish's own round, or in a later one while
    /// the message is on its way, may or may not count.
    private func isRequiredFromAbroad(_ event: ModelBoard.Event, _ topic: Int) -> Bool? {
        let changes = changes[topic] ?? []
        let before = changes.last { $0.round < event.round }?.isSubscribed ?? subscriptions.contains(topic)
        let later = changes.filter { $0.round >= event.round }
        if before { return left == nil && later.allSatisfy(\.isSubscribed) }
        return later.contains(where: \.isSubscribed) ? false : nil
    }
}
