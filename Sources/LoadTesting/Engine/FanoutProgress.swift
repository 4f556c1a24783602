import Synchronization

/// How far each worker's subscribers are, publisher by publisher: what tells a publisher that it may go on.
final class FanoutProgress: Sendable {
    private final class Cell: Sendable { let value = Atomic<Int>(0) }

    /// For each publisher a cell of each worker that has subscribers of its topic.
    private let cells: [[Cell?]]

    /// - Parameter subscribers: for each publisher how many subscribers of its topic read, worker by worker.
    init(subscribers: [[Int]]) {
        cells = subscribers.map { $0.map { $0 > 0 ? Cell() : nil } }
    }

    /// A worker tells that its subscribers have all had `count` publishes of this publisher.
    func store(_ count: Int, publisher: Int, worker: Int) {
        cells[publisher][worker]?.value.store(count, ordering: .releasing)
    }

    /// How many publishes of this publisher have reached everyone.
    func completed(by publisher: Int) -> Int {
        var least = Int.max
        for case let cell? in cells[publisher] { least = min(least, cell.value.load(ordering: .acquiring)) }
        return least
    }
}

/// Who is what in a fan-out: subscribers are numbered first, then publishers; both take the topics in turn.
struct FanoutLayout: Sendable {
    let subscribers: Int
    let publishers: Int
    let topics: Int
    let workers: Int
    /// The share of subscribers that do not read; they are spread evenly.
    let stalledShare: Double

    init(plan: LoadPlan) {
        (subscribers, publishers, topics, workers) = (plan.subscribers, plan.publishers, plan.topics, plan.loops)
        stalledShare = plan.workload == .slow ? plan.stalled : 0
    }

    func isPublisher(_ number: Int) -> Bool { number >= subscribers }
    func publisher(_ number: Int) -> Int { number - subscribers }
    func topic(ofPublisher publisher: Int) -> Int { publisher % topics }
    func topic(ofSubscriber number: Int) -> Int { number % topics }
    /// The place of a publisher among those of its topic.
    func place(ofPublisher publisher: Int) -> Int { publisher / topics }
    var mostPublishersOfATopic: Int { (publishers + topics - 1) / topics }
    func worker(of number: Int) -> Int { number % workers }

    func isStalled(_ number: Int) -> Bool {
        // A row, one subscriber of every topic, stalls where the running share passes a whole number: so each topic
        // has its share.
        let row = Double(number / topics)
        return (row * stalledShare).rounded(.down) != ((row + 1) * stalledShare).rounded(.down)
    }

    /// For each publisher how many subscribers of its topic read, worker by worker.
    var readers: [[Int]] {
        var byTopic = Array(repeating: Array(repeating: 0, count: workers), count: topics)
        for number in 0..<subscribers where !isStalled(number) {
            byTopic[topic(ofSubscriber: number)][worker(of: number)] += 1
        }
        return (0..<publishers).map { byTopic[topic(ofPublisher: $0)] }
    }
}
