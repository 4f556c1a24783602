import Reactor
import Synchronization

/// A task that waits to connect again, on a loop's clock. Cancelled, it leaves nothing behind, where a `Task.sleep`
/// leaves its timer (700 bytes) until the time is over.
final class BackoffWait: Sendable {
    private enum State {
        case begun
        case waiting(CheckedContinuation<WebSocketClientError?, Never>)
        case over(WebSocketClientError?)
    }

    private let state = Mutex(State.begun)

    /// Waits for `finish`, and returns what it was called with.
    func result() async -> WebSocketClientError? {
        await withCheckedContinuation { continuation in
            let result = state.withLock { state -> WebSocketClientError?? in
                if case .over(let error) = state { return .some(error) }
                state = .waiting(continuation)
                return nil
            }
            if let result { continuation.resume(returning: result) }
        }
    }

    /// Ends the wait, if it is not over: nil when its time has come, else why it has not. From any thread.
    func finish(_ error: WebSocketClientError?) {
        let continuation = state.withLock { state -> CheckedContinuation<WebSocketClientError?, Never>? in
            if case .over = state { return nil }
            defer { state = .over(error) }
            if case .waiting(let continuation) = state { return continuation } else { return nil }
        }
        continuation?.resume(returning: error)
    }
}

extension ClientGroup {
    /// Waits for so long, on the clock of one of the loops.
    /// - Throws: `.cancelled`, or `.stopped`.
    func wait(for delay: Duration) async throws(WebSocketClientError) {
        let wait = BackoffWait()
        let (core, executor) = (core, group.executor(of: 0))
        executor.execute {
            guard let loop = core.currentLoop, !loop.isStopping else { return wait.finish(.loopsStopped) }
            loop.backoffs.insert(wait, until: loop.now + delay.milliseconds)
            loop.eventLoop.wakeHandler(at: loop.now + delay.milliseconds)
        }
        let error = await withTaskCancellationHandler {
            await wait.result()
        } onCancel: {
            wait.finish(.cancelled)
            executor.execute { core.currentLoop?.backoffs.remove(wait) }
        }
        if let error { throw error }
    }
}

/// The waits that one loop times, in the order in which they end.
struct BackoffQueue {
    private var waits: [(time: UInt64, wait: BackoffWait)] = []

    var count: Int { waits.count }
    var nextTime: UInt64? { waits.first?.time }

    /// O(log n) comparisons, and a move of the waits that end later.
    mutating func insert(_ wait: BackoffWait, until time: UInt64) {
        var (low, high) = (0, waits.count)
        while low < high {
            let middle = (low + high) / 2
            if waits[middle].time <= time { low = middle + 1 } else { high = middle }
        }
        waits.insert((time, wait), at: low)
    }

    /// O(n): cancelling is rare.
    mutating func remove(_ wait: BackoffWait) { waits.removeAll { $0.wait === wait } }

    /// Takes out the waits that are due.
    mutating func takeDue(at now: UInt64) -> [BackoffWait] {
        let count = waits.firstIndex { $0.time > now } ?? waits.count
        defer { waits.removeFirst(count) }
        return waits[..<count].map(\.wait)
    }
}
