import Ringcast

/// One loop's share of a load: opens its connections, and keeps count.
///
/// Unchecked: everything that changes is used on this worker's loop only; the engine reaches it through the loop's
/// executor (`Workers`).
package class Worker: @unchecked Sendable {
    package let index: Int
    let setup: LoadSetup
    /// The numbers of the connections that are this worker's, among those of all.
    let numbers: [Int]
    var counters = LoadCounters()
    var latency = LatencyRecorder()
    var phase = Phase.connecting
    /// What went wrong first, in a sentence.
    private(set) var failure: String?
    private var nextNumber = 0
    private var attempts = 0
    private var connectSchedule: OpenLoopSchedule?

    enum Phase { case connecting, running, finishing, ended }

    /// So many connections are being opened at once, when no rate is asked for.
    private static let attemptsAtOnce = 128

    var plan: LoadPlan { setup.plan }

    init(index: Int, setup: LoadSetup, numbers: [Int]) {
        (self.index, self.setup, self.numbers) = (index, setup, numbers)
    }

    // MARK: what a workload does

    /// Begins connection number `numbers[position]`, and calls `connectionOpened` or `connectionFailed`.
    func connect(position: Int) { preconditionFailure("a workload says how it connects") }

    /// Everything is connected: the load begins.
    func begin() {}

    /// Called regularly; at least each `tickInterval`.
    func tick(_ now: UInt64) {}

    /// How often `tick` is called, in nanoseconds.
    var tickInterval: UInt64 { 10_000_000 }

    /// Messages that were sent, and whose answer has not come.
    var outstanding: Int { 0 }

    /// Breaks the cycle of the handlers, which hold the worker.
    func releaseHandlers() {}

    // MARK: connecting

    final func openConnections() {
        if let rate = plan.connectRate {
            connectSchedule = OpenLoopSchedule(
                rate: rate / Double(plan.loops), start: setup.clock.now, shortestTick: 1_000_000)
        } else {
            for _ in 0..<min(Self.attemptsAtOnce, numbers.count) { connectNext() }
        }
    }

    private func connectNext() {
        guard nextNumber < numbers.count, phase == .connecting else { return }
        attempts += 1
        nextNumber += 1
        connect(position: nextNumber - 1)
    }

    private func connectOnSchedule(_ now: UInt64) {
        while let due = connectSchedule?.due(by: now) {
            for _ in 0..<due.count { connectNext() }
        }
    }

    final func clockTick() {
        let now = setup.clock.now
        if phase == .connecting { connectOnSchedule(now) }
        tick(now)
    }

    func connectionOpened() {
        counters.opened += 1
        counters.open += 1
        attempts -= 1
        if connectSchedule == nil { connectNext() }
    }

    func connectionFailed(_ error: WebSocketClientError) {
        guard phase != .ended else { return }
        counters.failedConnections += 1
        attempts -= 1
        note(error.advice)
        if connectSchedule == nil, plan.workload == .churn { connectNext() }
    }

    func connectionClosed(_ code: CloseCode, _ reason: String) {
        counters.open -= 1
        counters.closed += 1
        guard phase != .ended else { return }
        counters.errors += 1
        note("a connection was closed by the server with \(code)\(reason.isEmpty ? "" : ": \(reason)")")
    }

    final func note(_ sentence: String) { if failure == nil { failure = sentence } }

    /// Whether a received message is of the kind and, if it is known, of the size that it should be.
    @inline(__always)
    final func count(_ message: borrowing Message, size: Int?) {
        counters.received += 1
        counters.bytesReceived += message.byteCount
        if message.isText != plan.isText || (size ?? message.byteCount) != message.byteCount { counters.errors += 1 }
    }

    @inline(__always)
    final func count(_ verdict: SequenceCheck.Verdict) {
        switch verdict {
        case .inOrder: break
        case .gap(let missing): counters.lost += Int(missing)
        case .late:
            counters.late += 1
            // It was counted as lost when those behind it came.
            counters.lost = max(0, counters.lost - 1)
        }
    }
}

/// What a worker tells at a moment.
struct WorkerReport: Sendable {
    var at: UInt64
    var counters: LoadCounters
    /// Since the report before it.
    var latency: LatencyRecorder
    var outstanding: Int
    var failure: String?
}

extension Worker {
    final func report() -> WorkerReport {
        defer { latency.reset() }
        return WorkerReport(
            at: setup.clock.now, counters: counters, latency: latency, outstanding: outstanding, failure: failure)
    }
}
