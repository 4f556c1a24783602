import PubSub
import Synchronization

/// Which nodes there are, and what they are asked. Nodes say that they are there on a topic that all of them hear; who
/// has not been heard for its lease is gone. A question goes to all nodes on that topic, an answer to a topic of the
/// asker's. Any thread; a lock, which no message of users' takes.
final class ClusterRoster: Sendable {
    /// In milliseconds: how often a node says that it is there, for how long that holds, how long an answer may take.
    static let interval: UInt64 = 5_000
    static let lease: UInt64 = 15_000
    static let patience: UInt64 = 2_000
    /// Anybody who may publish to the engine can name nodes.
    private static let nodeLimit = 4_096

    fileprivate struct Question {
        /// Nodes whose answer, or whose answer's end, is awaited.
        var awaited: Set<String>
        var answers: [String: [UInt8]] = [:]
        let deadline: UInt64
        let continuation: CheckedContinuation<[[UInt8]]?, Never>
    }

    fileprivate struct State {
        var nodes: [String: ClusterPeer] = [:]
        var questions: [UInt64: Question] = [:]
        var lastQuestion: UInt64 = 0
        /// When this node is to say next that it is there.
        var nextHere: UInt64 = 0
    }

    private let state = Mutex(State())

    /// The nodes that are there, but this one.
    var nodes: [String] { state.withLock { Array($0.nodes.keys) } }
    var peers: [ClusterPeer] { state.withLock { Array($0.nodes.values) } }

    /// Whether this node is to say now that it is there.
    func isHereDue(now: UInt64) -> Bool {
        state.withLock { state in
            guard now >= state.nextHere else { return false }
            state.nextHere = now + Self.interval
            return true
        }
    }

    /// This node is to say as soon as possible that it is there.
    func hereIsDue() { state.withLock { $0.nextHere = 0 } }

    /// - Returns: whether the node is new.
    func noteHere(_ node: String, sockets: Int, now: UInt64) -> Bool {
        state.withLock { state in
            guard state.nodes.count < Self.nodeLimit || state.nodes[node] != nil else { return false }
            let peer = ClusterPeer(id: node, sockets: sockets, heardAt: now)
            return state.nodes.updateValue(peer, forKey: node) == nil
        }
    }

    func noteGone(_ node: String) {
        finish { state in
            state.nodes[node] = nil
            return state.stopWaiting(for: [node])
        }
    }

    /// Begins a question to all nodes, whose answers the continuation is resumed with: nil if one of them does not
    /// come in time.
    /// - Returns: the question's number; nil if there is nobody to ask.
    func begin(_ continuation: CheckedContinuation<[[UInt8]]?, Never>, now: UInt64) -> UInt64? {
        let number = state.withLock { state -> UInt64? in
            guard !state.nodes.isEmpty else { return nil }
            state.lastQuestion += 1
            state.questions[state.lastQuestion] = Question(
                awaited: Set(state.nodes.keys), deadline: now + Self.patience, continuation: continuation)
            return state.lastQuestion
        }
        if number == nil { continuation.resume(returning: []) }
        return number
    }

    /// Takes a part of a node's answer; the last one ends it.
    func answered(_ number: UInt64, by node: String, _ part: some Collection<UInt8>, isLast: Bool) {
        finish { state in
            guard state.questions[number]?.awaited.contains(node) ?? false else { return [] }
            state.questions[number]?.answers[node, default: []] += part
            guard isLast else { return [] }
            state.questions[number]?.awaited.remove(node)
            return state.takeAnswered()
        }
    }

    /// Forgets who was not heard for its lease, and ends questions that have waited long enough.
    /// - Returns: when to look again; nil while nothing is awaited.
    func sweep(now: UInt64) -> UInt64? {
        finish { state in
            let gone = state.nodes.filter { $0.value.heardAt + Self.lease <= now }.map(\.key)
            for node in gone { state.nodes[node] = nil }
            let overdue = state.questions.filter { $0.value.deadline <= now }.map(\.key)
            return state.stopWaiting(for: gone)
                + overdue.compactMap { state.questions.removeValue(forKey: $0).map { ($0.continuation, nil) } }
        }
        return state.withLock { $0.questions.values.map(\.deadline).min() }
    }

    /// Ends all questions: there is nobody to answer any more.
    func end() {
        finish { state in
            defer { state = State() }
            return state.questions.values.map { ($0.continuation, nil) }
        }
    }

    fileprivate typealias Ending = (CheckedContinuation<[[UInt8]]?, Never>, [[UInt8]]?)

    /// Resumes who asked outside of the lock.
    private func finish(_ change: (inout State) -> [Ending]) {
        for (continuation, answers) in state.withLock({ change(&$0) }) { continuation.resume(returning: answers) }
    }
}

/// A node as another one knows it.
package struct ClusterPeer: Sendable {
    package let id: String
    /// Open sockets, as it has said last.
    package let sockets: Int
    /// When it was heard last, in milliseconds of the loops' clock.
    package let heardAt: UInt64
}

extension ClusterRoster.State {
    /// Takes out the questions that everybody has answered.
    fileprivate mutating func takeAnswered() -> [ClusterRoster.Ending] {
        questions.filter(\.value.awaited.isEmpty).map { number, question in
            questions[number] = nil
            return (question.continuation, Array(question.answers.values))
        }
    }

    /// Nodes that are gone need not answer.
    fileprivate mutating func stopWaiting(for gone: [String]) -> [ClusterRoster.Ending] {
        for number in questions.keys { questions[number]?.awaited.subtract(gone) }
        return takeAnswered()
    }
}
