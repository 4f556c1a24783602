import Synchronization
import WebSocketProtocol

@testable import Ringcast

/// What the server's handlers have done, source by source in the order they did it: a source is a loop, or the test's
/// own thread.
///
/// Every message carries its source and its number there, so that whoever receives it can be held to the order.
final class ModelBoard: Sendable {
    enum Act: Sendable {
        case joined(member: Int)
        case left(member: Int)
        case changed(member: Int, topic: Int, isSubscribed: Bool)
        case published(topic: Int, by: Int?, result: SendResult)
        case sent(to: Int, result: SendResult)
    }

    struct Event: Sendable {
        var number: Int
        /// Events of different rounds did not overlap.
        var round: Int
        var byteCount: Int
        var act: Act

        /// What it was published to, if it was.
        var topic: Int? { if case .published(let topic, _, _) = act { topic } else { nil } }
    }

    /// What a message takes of the limit beside its bytes: a header, and an entry where older ones may have to go.
    static let queuedCost = 10 + Backlog.entryCost

    private struct Journal {
        var nextNumber = 0
        var events: [Event] = []
    }

    /// Everybody is subscribed to it.
    static let marks = 0
    /// Their messages have one order for everybody.
    static let totalTopics = [5, 6]
    /// Those that are in the way of newer ones go.
    static let evictingTopics = [4, 6]

    static var rules: [TopicRule] {
        totalTopics.map { .matching(topic($0).name, order: .total) }
            + evictingTopics.map { .matching(topic($0).name, slowConsumerPolicy: .dropOldest) }
    }

    let sourceCount: Int
    private let round = Atomic<Int>(0)
    private let executed = Atomic<Int>(0)
    /// By member.
    private let obeyed = Mutex<[Int: Int]>([:])
    private let journals: Mutex<[Journal]>
    private let references = Mutex<[Int: WebSocketRef<Int>]>([:])
    private let loops = Mutex<[Int: Int]>([:])
    private let queued = Mutex<[Int: Int]>([:])

    init(loopCount: Int) {
        sourceCount = loopCount + 1
        journals = Mutex(Array(repeating: Journal(), count: loopCount + 1))
    }

    /// The source of what the test publishes itself.
    var ownSource: Int { sourceCount - 1 }
    var executedCount: Int { executed.load(ordering: .acquiring) }

    /// Commands that a member's handler has done.
    func obeyedCount(of member: Int) -> Int { obeyed.withLock { $0[member] ?? 0 } }

    /// Where a member has joined.
    func loop(of member: Int) -> Int? { loops.withLock { $0[member] } }

    static func topic(_ number: Int) -> Topic { Topic("topic/\(number)") }

    /// Messages of one stream come to everybody in the order of their numbers: those of one source, but for what it
    /// publishes to a topic of total order, which is a stream of its own. The first `sourceCount` are the sources'.
    func stream(of source: Int, topic: Int?) -> Int {
        let index = topic.flatMap { Self.totalTopics.firstIndex(of: $0) }.map { $0 + 1 } ?? 0
        return source + index * sourceCount
    }

    var streamCount: Int { sourceCount * (Self.totalTopics.count + 1) }

    /// The topic of total order that a stream belongs to.
    func totalTopic(ofStream stream: Int) -> Int? {
        stream < sourceCount ? nil : Self.totalTopics[stream / sourceCount - 1]
    }

    func beginRound() -> Int { round.add(1, ordering: .acquiringAndReleasing).newValue }

    /// The events of every source since the last time.
    func takeEvents() -> [[Event]] {
        journals.withLock { journals in
            journals.indices.map { source in
                defer { journals[source].events.removeAll(keepingCapacity: true) }
                return journals[source].events
            }
        }
    }

    /// Bytes that were queued for a member when it asked for that.
    func queuedByteCount(of member: Int) -> Int { queued.withLock { $0[member] ?? 0 } }

    /// Notes an act that sends nothing.
    func note(_ act: Act, from source: Int) {
        note(from: source, size: 0) { _, _ in act }
    }

    /// Numbers a message of `size` bytes or a little more, lets it be sent, and notes what came of it.
    /// - Parameter topic: what it is published to, if it is.
    func note(from source: Int, size: Int, topic: Int? = nil, _ act: (_ message: String, _ compress: Bool?) -> Act) {
        let number = journals.withLock { journals in
            defer { journals[source].nextNumber += 1 }
            return journals[source].nextNumber
        }
        let head = "\(stream(of: source, topic: topic)) \(number) "
        let message = head + String(repeating: "x", count: max(0, size - head.utf8.count))
        // Without compression it makes no difference.
        let act = act(message, [nil, true, false][number % 3])
        let event = Event(
            number: number, round: round.load(ordering: .acquiring),
            byteCount: message.utf8.count + Self.queuedCost, act: act)
        journals.withLock { $0[source].events.append(event) }
    }

    /// From the test's own thread.
    func publish(_ size: Int, to topic: Int, on server: Server) {
        note(from: ownSource, size: size, topic: topic) { message, compress in
            .published(
                topic: topic, by: nil, result: server.publish(message, to: Self.topic(topic), compress: compress))
        }
    }
}

extension ModelBoard {
    func handlers(options: WebSocketOptions) -> WebSocketHandlers<Int> {
        WebSocketHandlers(
            options: options,
            open: { ws in
                let source = ws.session.loop.eventLoop.index
                let reference = ws.reference
                self.references.withLock { $0[ws.data] = reference }
                self.loops.withLock { $0[ws.data] = source }
                ws.subscribe(to: Self.topic(Self.marks))
                self.note(.joined(member: ws.data), from: source)
                self.note(.changed(member: ws.data, topic: Self.marks, isSubscribed: true), from: source)
                self.executed.add(1, ordering: .releasing)
            },
            message: { ws, message in
                self.obey(message.string.split(separator: " "), ws)
                let member = ws.data
                self.obeyed.withLock { $0[member, default: 0] += 1 }
                self.executed.add(1, ordering: .releasing)
            },
            close: { ws, _, _ in
                let source = ws.session.loop.eventLoop.index
                self.references.withLock { $0[ws.data] = nil }
                self.note(from: source, size: 20) { message, _ in
                    .published(topic: Self.marks, by: ws.data, result: ws.publish(message, to: Self.topic(Self.marks)))
                }
                self.note(.left(member: ws.data), from: source)
                self.executed.add(1, ordering: .releasing)
            })
    }

    /// A member's command: a word and its numbers.
    private func obey(_ words: [Substring], _ ws: borrowing WebSocket<Int>) {
        let source = ws.session.loop.eventLoop.index
        let numbers = words.dropFirst().map { Int($0) ?? 0 }
        switch words[0] {
        case "subscribe":
            ws.subscribe(to: Self.topic(numbers[0]))
            note(.changed(member: ws.data, topic: numbers[0], isSubscribed: true), from: source)
        case "unsubscribe":
            ws.unsubscribe(from: Self.topic(numbers[0]))
            note(.changed(member: ws.data, topic: numbers[0], isSubscribed: false), from: source)
        case "publish":
            for _ in 0..<numbers[2] {
                note(from: source, size: numbers[1], topic: numbers[0]) { message, compress in
                    .published(
                        topic: numbers[0], by: ws.data,
                        result: ws.publish(message, to: Self.topic(numbers[0]), compress: compress))
                }
            }
        case "send":
            guard let receiver = references.withLock({ $0[numbers[0]] }) else { return }
            note(from: source, size: numbers[1]) { message, compress in
                .sent(
                    to: numbers[0],
                    result: numbers[0] == ws.data
                        ? ws.send(message, compress: compress) : receiver.send(message, compress: compress))
            }
        case "queued":
            let amount = ws.bufferedAmount
            queued.withLock { $0[ws.data] = amount }
        default: preconditionFailure("no command is called \(words[0])")
        }
    }
}
