import Ringcast
import Synchronization

/// Publishers that keep a window of publishes outstanding, or publish on schedule, and subscribers that hear them.
///
/// A publish is complete when as many deliveries have come as its topic has subscribers that read, on each worker. Its
/// latency is measured at each subscriber.
final class FanoutWorker: Worker, @unchecked Sendable {
    let layout: FanoutLayout
    private let progress: FanoutProgress
    /// All workers, this one too, to wake the one that owns a publisher.
    private let colleagues: WorkerList
    private var publishers: [Publisher] = []
    /// For each publisher of the load: deliveries of its messages here, its publishes that are complete here, how many
    /// deliveries complete the next one, and how many subscribers here read.
    private var arrivals: [(count: Int, complete: Int, goal: Int, readers: Int)]
    /// The order of arrival for each subscriber here and each publisher of its topic.
    private var checks: [SequenceCheck]
    /// Subscribers here that were disconnected.
    private var isGone: [Bool]
    private var payload: PayloadTemplate
    private var schedule: OpenLoopSchedule?
    /// The publisher that has sent last on schedule.
    private var cursor = 0

    struct Publisher {
        let id: Int
        var socket: WebSocketRef<Int>
        var sent = 0
        /// The first publish that is still waited for, where earlier ones were given up.
        var forgiven = 0
        var lastProgress: (completed: Int, at: UInt64) = (0, 0)
    }

    /// Publishes that are outstanding without progress for so long are given up.
    private static let patience: UInt64 = 2_000_000_000

    init(
        index: Int, setup: LoadSetup, numbers: [Int], layout: FanoutLayout, progress: FanoutProgress,
        colleagues: WorkerList
    ) {
        (self.layout, self.progress, self.colleagues) = (layout, progress, colleagues)
        arrivals = layout.readers.map { (0, 0, $0[index], $0[index]) }
        checks = Array(repeating: SequenceCheck(), count: numbers.count * layout.mostPublishersOfATopic)
        isGone = Array(repeating: false, count: numbers.count)
        payload = PayloadTemplate(size: setup.plan.size)
        super.init(index: index, setup: setup, numbers: numbers)
    }

    override func request(position: Int) -> ClientRequest {
        let number = numbers[position]
        guard layout.isPublisher(number) else {
            return setup.request(plan.url, topic: layout.topic(ofSubscriber: number), number: number)
        }
        return setup.request(
            plan.publishURL, topic: layout.topic(ofPublisher: layout.publisher(number)), number: number)
    }

    override func opened(_ ws: borrowing WebSocket<Int>) {
        let number = numbers[ws.data]
        if layout.isPublisher(number) {
            publishers.append(Publisher(id: layout.publisher(number), socket: ws.reference))
        } else if layout.isStalled(number) {
            ws.pause()
        }
    }

    override func closed(_ ws: borrowing WebSocket<Int>, _ code: CloseCode) -> Bool {
        let number = numbers[ws.data]
        if layout.isPublisher(number) {
            publishers.removeAll { [reference = ws.reference] in $0.socket == reference }
            return false
        }
        isGone[ws.data] = true
        // A server may cut who does not read: that is its right, and no error.
        return layout.isStalled(number)
    }

    override var tickInterval: UInt64 { schedule?.tick ?? super.tickInterval }

    override var outstanding: Int {
        publishers.reduce(0) { $0 + max(0, $1.sent - max($1.forgiven, progress.completed(by: $1.id))) }
    }

    override var published: [Int: Int] { Dictionary(uniqueKeysWithValues: publishers.map { ($0.id, $0.sent) }) }

    /// Messages missing at the end of subscribers' sequences; gaps within a sequence have been counted.
    override func undelivered(of published: [Int: Int]) -> Int {
        var count = 0
        for (position, number) in numbers.enumerated() {
            guard !layout.isPublisher(number), !layout.isStalled(number), !isGone[position] else { continue }
            let topic = layout.topic(ofSubscriber: number)
            for (id, sent) in published where layout.topic(ofPublisher: id) == topic {
                let next = checks[position * layout.mostPublishersOfATopic + layout.place(ofPublisher: id)].next
                count += Int((UInt32(truncatingIfNeeded: sent) &- next) & (Stamp.sequences - 1))
            }
        }
        return count
    }

    override var unsent: Int { schedule?.overdue(at: inTime) ?? 0 }

    override func begin() {
        phase = .running
        let now = setup.clock.now
        for position in publishers.indices { publishers[position].lastProgress.at = now }
        if let rate = plan.rate, !publishers.isEmpty {
            let share = Double(publishers.count) / Double(layout.publishers)
            schedule = OpenLoopSchedule(rate: rate * share, start: now)
        } else {
            for position in publishers.indices { publishMore(position) }
        }
    }

    override func tick(_ now: UInt64) {
        guard phase == .running else { return }
        var budget = Self.mostAtOnce
        while budget > 0, let due = schedule?.due(by: now) {
            budget -= due.count
            for _ in 0..<due.count where !publishers.isEmpty {
                cursor = (cursor + 1) % publishers.count
                publish(cursor, intended: due.intended)
            }
        }
        if schedule == nil { giveUpWhatDoesNotCome(now) }
    }

    private func giveUpWhatDoesNotCome(_ now: UInt64) {
        for position in publishers.indices {
            let completed = progress.completed(by: publishers[position].id)
            if completed != publishers[position].lastProgress.completed {
                publishers[position].lastProgress = (completed, now)
            } else if now - publishers[position].lastProgress.at > Self.patience {
                publishers[position].forgiven = publishers[position].sent
                publishers[position].lastProgress.at = now
                publishMore(position)
            }
        }
    }

    // MARK: publishing

    /// Publishes until the window is full.
    private func publishMore(_ position: Int) {
        guard phase == .running else { return }
        let window = max(1, plan.window / layout.publishers)
        let completed = max(progress.completed(by: publishers[position].id), publishers[position].forgiven)
        let now = setup.clock.now
        while publishers[position].sent - completed < window { publish(position, intended: now) }
    }

    private func publish(_ position: Int, intended: UInt64) {
        let sequence = UInt32(truncatingIfNeeded: publishers[position].sent) & (Stamp.sequences - 1)
        payload.stamp(Stamp(sender: UInt32(publishers[position].id), sequence: sequence, time: intended))
        publishers[position].sent += 1
        let socket = publishers[position].socket
        count(plan.isText ? socket.sendText(payload.span) : socket.sendBinary(payload.span))
    }

    /// Called on this worker's loop when a publish of one of its publishers may be complete.
    func publisherMayGoOn(_ id: Int) {
        guard let position = publishers.firstIndex(where: { $0.id == id }) else { return }
        publishMore(position)
    }

    // MARK: hearing

    override func received(_ ws: borrowing WebSocket<Int>, _ message: borrowing Message) {
        let position = ws.data
        // A publisher's own messages may come back to it: they were for others.
        if layout.isPublisher(numbers[position]) { return }
        let isSound = count(message, size: plan.size)
        guard let stamp = message.rawBytes.stamp, stamp.sender < UInt32(layout.publishers) else {
            if isSound { mismatched(.content) }
            return
        }
        let id = Int(stamp.sender)
        let verdict = checks[position * layout.mostPublishersOfATopic + layout.place(ofPublisher: id)]
            .receive(stamp.sequence)
        count(verdict)
        if isSound, verdict != .duplicate { latency.record(intended: stamp.time, now: setup.clock.now) }
        switch verdict {
        case .inOrder: arrivals[id].count += 1
        case .gap(let missing): arrivals[id].count += 1 + Int(missing)
        case .late, .duplicate: return
        }
        if arrivals[id].count >= arrivals[id].goal { advance(id) }
    }

    /// Tells that all subscribers here that read have had one more publish, or several.
    private func advance(_ id: Int) {
        let readers = arrivals[id].readers
        guard readers > 0 else { return }
        arrivals[id].complete = arrivals[id].count / readers
        arrivals[id].goal = (arrivals[id].complete + 1) * readers
        progress.store(arrivals[id].complete, publisher: id, worker: index)
        guard schedule == nil, plan.rate == nil else { return }
        let owner = layout.worker(of: layout.subscribers + id)
        if owner == index { publisherMayGoOn(id) } else { colleagues.wake(owner, publisher: id) }
    }
}

/// The workers of a load, for each other. Set before any of them runs, emptied at the end.
final class WorkerList: Sendable {
    private let group: ClientGroup
    private let workers = Mutex<[FanoutWorker]>([])

    init(group: ClientGroup) { self.group = group }

    func set(_ all: [FanoutWorker]) { workers.withLock { $0 = all } }

    /// Has worker `index` look, on its loop, whether its publisher may go on.
    func wake(_ index: Int, publisher: Int) {
        group.executor(of: index).execute { [self] in
            let worker = workers.withLock { index < $0.count ? $0[index] : nil }
            worker?.publisherMayGoOn(publisher)
        }
    }
}
