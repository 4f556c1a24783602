import CMalloc
import Reactor
import Synchronization
import Testing

@testable import Ringcast

/// A call that waits, and how a test knows that it does.
struct WaitingCall: Sendable {
    var call: @Sendable () async throws -> Void
    var isWaiting: @Sendable () -> Bool
    /// What it ends with when it is cancelled.
    var error: WebSocketClientError? = .cancelled
    /// Brings things back to where the next call finds them as this one did.
    var reset: @Sendable () -> Void = {}
}

/// Cancels one kind of call again and again, and counts what this process has before and after.
///
/// The tasks run on a loop of their own, and their test polls, so that the caches of Swift's own threads are not in the
/// count. What is left rises and falls with what threads keep for their next allocation: the lowest figures of rounds
/// are compared. A block that is lost lifts them all.
struct CancellationCount {
    /// Cancellations between two figures, in a round, and before the first round, until tables have their size.
    static let laps = 100
    static let lapsInRound = 8 * laps
    static let warmUp = 6 * laps
    /// What the heap may grow by from round to round, in bytes: the smallest block has 32, so that one lost at every
    /// second cancellation is too much. On a busy machine it was seen to grow by half of this.
    static let heapBound = lapsInRound * 16

    let place: CancelledAwait
    private let tasks: ClientGroup

    init(of place: CancelledAwait) throws {
        self.place = place
        tasks = try ClientGroup()
    }

    func expectNothingLeft() async throws {
        // What the last task had is gone before the process ends, and OpenSSL with it.
        defer {
            tasks.stop()
            tasks.wait()
        }
        // Swift's runtime keeps a timer descriptor for each clock from its first sleep on.
        try await Task.sleep(for: .milliseconds(1))
        try await place.withCalls { group, call in
            try cancel(call, Self.warmUp)
            let before = try settled(group)
            var last = try lowestHeap(cancelling: call, group, like: before)
            var growths: [Int] = []
            // A lost block lifts every round; what threads of a busy machine keep does not rise three times.
            repeat {
                let next = try lowestHeap(cancelling: call, group, like: before)
                growths.append(next - last)
                last = next
            } while growths.last! >= Self.heapBound && growths.count < 3
            #expect(growths.last! < Self.heapBound, "the heap has grown by \(growths) bytes")
        }
    }

    /// One round.
    private func lowestHeap(
        cancelling call: WaitingCall, _ group: ClientGroup, like before: Figures
    ) throws -> Int {
        var lowest = Int.max
        for _ in 0..<Self.lapsInRound / Self.laps {
            try cancel(call, Self.laps)
            lowest = min(lowest, try settled(group, like: before).heap)
        }
        return lowest
    }

    /// Each call in a task of its own, which holds one counted object.
    private func cancel(_ call: WaitingCall, _ count: Int) throws {
        for _ in 0..<count {
            let end = TaskEnd()
            let task = Task(executorPreference: tasks.executor(of: 0)) { [witness = TaskWitness()] in
                defer { withExtendedLifetime(witness) {} }
                do {
                    try await call.call()
                    end.note(nil)
                } catch {
                    end.note(error as? WebSocketClientError)
                }
            }
            try #require(soon(call.isWaiting), "the call does not come to its await")
            task.cancel()
            try #require(soon { end.hasCome }, "the call does not return")
            try #require(end.error == call.error)
            call.reset()
        }
    }

    private struct Figures {
        var descriptors: Int
        var connections: Int
        /// Attempts, and whatever else waits on the loop.
        var waiting: Int
        var tasks: Int
        var heap: Int

        /// Less is no fault: what was there before may have been on its way out.
        func isAtMost(_ other: Figures) -> Bool {
            descriptors <= other.descriptors && connections <= other.connections && waiting <= other.waiting
        }
    }

    /// What there is once every task has gone, and no more of everything but the heap than there was `before`.
    private func settled(_ group: ClientGroup, like before: Figures? = nil) throws -> Figures {
        var now = figures(group)
        let isSettled = soon {
            now = figures(group)
            return now.tasks == 0 && (before.map { now.isAtMost($0) } ?? true)
        }
        try #require(isSettled, "left is \(now), more than \(String(describing: before))")
        // Other threads, which have seen a connection's end, let go of it a little later.
        for _ in 0..<10 {
            pause(.milliseconds(1))
            now.heap = min(now.heap, Self.heapInUse())
        }
        return now
    }

    private func figures(_ group: ClientGroup) -> Figures {
        Figures(
            descriptors: openDescriptors().count, connections: group.statistics[0].connections,
            waiting: group.count { $0.attempts.count + $0.backoffs.count },
            tasks: TaskWitness.living.load(ordering: .acquiring), heap: Self.heapInUse())
    }

    private static func heapInUse() -> Int {
        let information = mallinfo2()
        return information.uordblks + information.hblkhd
    }
}

/// Lives as long as the task that holds it.
final class TaskWitness: Sendable {
    static let living = Atomic(0)

    init() { Self.living.add(1, ordering: .acquiringAndReleasing) }
    deinit { Self.living.subtract(1, ordering: .acquiringAndReleasing) }
}

/// How a task has ended.
private final class TaskEnd: Sendable {
    private let end = Mutex<(hasCome: Bool, error: WebSocketClientError?)>((false, nil))

    var hasCome: Bool { end.withLock { $0.hasCome } }
    var error: WebSocketClientError? { end.withLock { $0.error } }

    func note(_ error: WebSocketClientError?) { end.withLock { $0 = (true, error) } }
}

/// The same as `eventually`, looking more often.
private func soon(_ condition: () -> Bool) -> Bool {
    let deadline = ContinuousClock.now + .seconds(60)
    while !condition() {
        guard ContinuousClock.now < deadline else { return false }
        pause(.microseconds(100))
    }
    return true
}

extension ClientGroup {
    /// A figure of the first loop.
    func count(_ body: @escaping @Sendable (SocketLoop) -> Int) -> Int {
        let counts = Journal<Int>()
        executor(of: 0).execute { [core] in counts.note(core.currentLoop.map(body) ?? -1) }
        while counts.entries.isEmpty { pause(.microseconds(20)) }
        return counts.entries[0]
    }

    /// How many of the first loop's attempts are like that.
    func attemptCount(where matches: @escaping @Sendable (ConnectionAttempt) -> Bool) -> Int {
        count { $0.attempts.values.count(where: matches) }
    }
}
