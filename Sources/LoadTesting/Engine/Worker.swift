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
    /// A moment a little before sending ended: messages that were due later are not late yet.
    private(set) var inTime: UInt64 = 0
    private static let slack: UInt64 = 50_000_000
    /// What went wrong first, in a sentence.
    private(set) var failure: String?
    /// The handlers hold the worker, until `releaseHandlers`.
    private var handlers: WebSocketHandlers<Int>?
    private var nextNumber = 0
    private var connectSchedule: OpenLoopSchedule?

    enum Phase { case connecting, running, finishing, ended }

    /// How many connections are being opened at once where no rate is asked for.
    private static let attemptsAtOnce = 128
    /// A schedule that is behind is made up for in steps of so many messages, or answers would have to wait.
    static let mostAtOnce = 4_096

    var plan: LoadPlan { setup.plan }

    init(index: Int, setup: LoadSetup, numbers: [Int]) {
        (self.index, self.setup, self.numbers) = (index, setup, numbers)
        handlers = WebSocketHandlers(
            options: setup.socketOptions,
            open: { [self] ws in connectionOpened(ws) },
            message: { [self] ws, message in received(ws, message) },
            close: { [self] ws, code, reason in connectionClosed(ws, code, reason) })
    }

    // MARK: what a workload does

    /// The request of connection number `numbers[position]`.
    func request(position: Int) -> ClientRequest { setup.request(plan.url, number: numbers[position]) }

    /// A socket is open; its data is what `connect(with:)` was given: its position in `numbers`, where it is opened
    /// before the load begins.
    func opened(_ ws: borrowing WebSocket<Int>) {}

    /// A message has come.
    func received(_ ws: borrowing WebSocket<Int>, _ message: borrowing Message) {}

    /// A socket is closed. Returns whether that was to be; if not, it is counted as an error.
    func closed(_ ws: borrowing WebSocket<Int>, _ code: CloseCode) -> Bool { false }

    /// A connection has failed; `data` is what `connect(with:)` was given.
    func failed(data: Int) {}

    /// Everything is connected: the load begins.
    func begin() { phase = .running }

    /// Called regularly, about each `tickInterval`.
    func tick(_ now: UInt64) {}

    /// How often `tick` is called, in nanoseconds.
    var tickInterval: UInt64 { 10_000_000 }

    /// Messages that were sent, and whose answer has not come.
    var outstanding: Int { 0 }

    /// How many messages each publisher here has published (fanout, slow).
    var published: [Int: Int] { [:] }

    /// Messages that should have come by the end and have not, without those that were counted as lost before.
    /// - Parameter published: how many messages each publisher of the load has published.
    func undelivered(of published: [Int: Int]) -> Int { outstanding }

    /// Messages of a schedule that were due by `inTime`, and had not been sent at the end: this tool could not keep up.
    var unsent: Int { 0 }

    /// Messages that were to be sent before this call do not count.
    final func beginMeasuring() { latency.beginsAt = setup.clock.now }

    final func endSending() {
        phase = .finishing
        let now = setup.clock.now
        inTime = now > Self.slack ? now - Self.slack : 0
    }

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
        nextNumber += 1
        connect(request(position: nextNumber - 1), with: nextNumber - 1)
    }

    /// Begins a connection; `opened` or `failed` is called when it is known what comes of it.
    final func connect(_ request: ClientRequest, with data: Int) {
        guard let handlers else { return }
        setup.group.connect(request, handlers: handlers, with: data, on: index) { [self] error in
            failed(data: data)
            connectionFailed(error)
        }
    }

    /// Breaks the cycle of the handlers, which hold the worker.
    final func releaseHandlers() { handlers = nil }

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

    private func connectionOpened(_ ws: borrowing WebSocket<Int>) {
        counters.opened += 1
        counters.open += 1
        if ws.isCompressionNegotiated { counters.compressed += 1 }
        opened(ws)
        if connectSchedule == nil { connectNext() }
    }

    private func connectionFailed(_ error: WebSocketClientError) {
        guard phase != .ended else { return }
        counters.failedConnections += 1
        note(error.advice)
        // Idle connections may fail: the others are tried nevertheless.
        if connectSchedule == nil { connectNext() }
    }

    private func connectionClosed(_ ws: borrowing WebSocket<Int>, _ code: CloseCode, _ reason: String) {
        counters.open -= 1
        counters.closed += 1
        guard !closed(ws, code), phase != .ended else { return }
        counters.errors += 1
        note(
            code == .abnormalClosure
                ? "a connection ended without a Close frame: has the server died?"
                : "a connection was closed by the server with \(code)\(reason.isEmpty ? "" : ": \(reason)")")
    }

    final func note(_ sentence: String) { if failure == nil { failure = sentence } }

    /// Counts a message that has come, and compares its kind and, where that is known, its size with what was to come.
    /// - Returns: false where they differ, which has been counted as an error.
    @inline(__always)
    @discardableResult
    final func count(_ message: borrowing Message, size: Int?) -> Bool {
        counters.received += 1
        counters.bytesReceived += message.byteCount
        guard message.isText == plan.isText, (size ?? message.byteCount) == message.byteCount else {
            mismatched(message.isText == plan.isText ? .size(message.byteCount) : .kind(isText: message.isText))
            return false
        }
        return true
    }

    @inline(__always)
    final func count(_ verdict: SequenceCheck.Verdict) {
        switch verdict {
        case .inOrder: break
        case .gap(let missing): counters.lost += Int(missing)
        case .late:
            counters.late += 1
            // The message was counted as lost when those behind it came.
            counters.lost = max(0, counters.lost - 1)
        case .duplicate: counters.duplicated += 1
        }
    }

    @inline(__always)
    final func count(_ result: SendResult) {
        counters.sent += 1
        if case .dropped = result { couldNotSend() }
    }

    /// How a message differs from the one that should have come.
    enum Mismatch { case kind(isText: Bool), size(Int), content }

    @inline(never)
    final func mismatched(_ mismatch: Mismatch) {
        counters.errors += 1
        counters.mismatched += 1
        guard failure == nil else { return }
        switch mismatch {
        case .kind(let isText): note("a message came as \(isText ? "text" : "binary"), and was sent as the other")
        case .size(let count): note("a message of \(count) bytes came, which is not the length that was sent")
        case .content: note("a message came that is not one that was sent")
        }
    }

    @inline(never)
    private func couldNotSend() {
        counters.errors += 1
        note("a message could not be sent: more waits for the server than this tool keeps, or the connection is gone")
    }
}

/// What a worker has counted up to a moment.
struct WorkerReport: Sendable {
    var at: UInt64
    var counters: LoadCounters
    /// Latencies since the report before.
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

/// Opens connections, and leaves them alone.
final class IdleWorker: Worker, @unchecked Sendable {}
