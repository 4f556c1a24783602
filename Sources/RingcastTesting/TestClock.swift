internal import Ringcast
internal import SimulatedKernel
internal import Synchronization

/// The virtual clock of a `TestServer`: it stands still until the test lets time pass (`TestServer.advance(by:)`).
///
/// The server's own time-outs go by it. Code of yours that waits does too if it is given a clock to wait by
/// (`any Clock<Duration>`): a `ContinuousClock` in the program, this one in its tests. Any thread and any task may wait
/// by it; who is woken at one moment is woken in the order of the calls. It counts whole milliseconds.
///
///     let clock = TestClock()
///     let app = try TestServer(clock: clock, fetch: game(ticking: clock))
public final class TestClock: Clock, Sendable {
    /// A moment of a virtual clock.
    public struct Instant: InstantProtocol, CustomStringConvertible {
        /// How long after the clock's beginning it is.
        public let offset: Duration

        /// The moment so long after this one.
        public func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }

        /// How long it is from this moment to another.
        public func duration(to other: Instant) -> Duration { other.offset - offset }

        /// Whether the left one is earlier.
        public static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }

        /// The time since the clock's beginning.
        public var description: String { "\(offset)" }
    }

    let clock = VirtualClock()
    private let beginning: UInt64
    private let state = Mutex(State())

    private struct Sleeper {
        let id: UInt64
        /// In the clock's milliseconds.
        let deadline: UInt64
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var nextID: UInt64 = 0
        /// The earliest last; those of one moment in the reverse order of their calls.
        var sleepers: [Sleeper] = []
        /// Those that do not sleep yet, and whether they are cancelled already.
        var arriving: [UInt64: Bool] = [:]
    }

    /// A clock for one server.
    public init() { beginning = clock.milliseconds }

    /// The present moment.
    public var now: Instant { Instant(offset: .milliseconds(Int64(clock.milliseconds - beginning))) }

    /// A millisecond.
    public var minimumResolution: Duration { .milliseconds(1) }

    /// Waits until the test has let time pass to `deadline`. The tolerance is not used: nobody is woken late.
    /// - Throws: `CancellationError` when the task is cancelled.
    public func sleep(until deadline: Instant, tolerance: Duration? = nil) async throws {
        let time = beginning + deadline.offset.milliseconds
        let id = state.withLock { state in
            state.nextID += 1
            state.arriving[state.nextID] = false
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { sleep(Sleeper(id: id, deadline: time, continuation: $0)) }
        } onCancel: {
            cancel(id)
        }
    }

    private func sleep(_ sleeper: Sleeper) {
        let result: Result<Void, any Error>? = state.withLock { state in
            if state.arriving.removeValue(forKey: sleeper.id) == true { return .failure(CancellationError()) }
            guard sleeper.deadline > clock.milliseconds else { return .success(()) }
            let place = state.sleepers.firstIndex { $0.deadline <= sleeper.deadline }
            state.sleepers.insert(sleeper, at: place ?? state.sleepers.endIndex)
            return nil
        }
        if let result { sleeper.continuation.resume(with: result) }
    }

    private func cancel(_ id: UInt64) {
        let sleeper = state.withLock { state -> Sleeper? in
            guard let place = state.sleepers.firstIndex(where: { $0.id == id }) else {
                // Of one that has been woken, and does not know yet, nothing is left to note.
                if state.arriving[id] != nil { state.arriving[id] = true }
                return nil
            }
            return state.sleepers.remove(at: place)
        }
        sleeper?.continuation.resume(throwing: CancellationError())
    }

    /// How many calls of `sleep` are noted down: none once all are over.
    var noted: Int { state.withLock { $0.sleepers.count + $0.arriving.count } }

    /// How long until the first sleeper wakes (ms); `.max` if nobody sleeps.
    var timeToNextWake: UInt64 {
        let next = state.withLock { $0.sleepers.last?.deadline }
        return next.map { $0 - min($0, clock.milliseconds) } ?? .max
    }

    /// Wakes those whose time has come.
    func wake() {
        let now = clock.milliseconds
        while let sleeper = state.withLock({ state in
            state.sleepers.last.map { $0.deadline <= now } ?? false ? state.sleepers.popLast() : nil
        }) {
            sleeper.continuation.resume()
        }
    }
}
