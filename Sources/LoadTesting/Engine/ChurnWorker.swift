import Ringcast

/// Connects, sends one message, waits for its answer, closes; again and again, or on schedule.
///
/// Latency is from the beginning of the connection, or from when it was to begin, until the answer.
final class ChurnWorker: Worker, @unchecked Sendable {
    private struct Slot {
        var intended: UInt64 = 0
        var sequence: UInt32 = 0
    }

    private var slots: [Slot]
    /// Slots without a connection.
    private var free: [Int]
    private var payload: PayloadTemplate
    private var handlers: WebSocketHandlers<Int>?
    private var schedule: OpenLoopSchedule?
    /// When connections were to begin for which there was no slot.
    private var late = TimeQueue()
    private var lateCount = 0
    private var begun = 0

    init(index: Int, setup: LoadSetup) {
        let (plan, loops) = (setup.plan, setup.plan.loops)
        let count = plan.connections / loops + (index < plan.connections % loops ? 1 : 0)
        slots = Array(repeating: Slot(), count: count)
        free = Array((0..<count).reversed())
        payload = PayloadTemplate(size: plan.size)
        // They are not opened before the load begins: opening them is the load.
        super.init(index: index, setup: setup, numbers: [])
        handlers = WebSocketHandlers(
            options: setup.socketOptions,
            open: { [self] ws in opened(ws) },
            message: { [self] ws, message in received(ws, message) },
            close: { [self] ws, code, reason in closed(ws.data, code, reason) })
    }

    override func releaseHandlers() { handlers = nil }

    override var tickInterval: UInt64 { schedule?.tick ?? super.tickInterval }
    override var outstanding: Int { slots.count - free.count }

    override func begin() {
        phase = .running
        let now = setup.clock.now
        if let rate = plan.rate {
            schedule = OpenLoopSchedule(rate: rate / Double(plan.loops), start: now)
        } else {
            fillSlots(now)
        }
    }

    override func tick(_ now: UInt64) {
        guard phase == .running else { return }
        // Those that failed are tried again here, so that a server that is gone is not asked without a pause.
        if schedule == nil { return fillSlots(now) }
        while let due = schedule?.due(by: now) {
            for _ in 0..<due.count {
                late.append(due.intended)
                lateCount += 1
            }
        }
        startLate()
    }

    private func fillSlots(_ now: UInt64) {
        while let slot = free.popLast() { start(slot, intended: now) }
    }

    private func startLate() {
        while lateCount > 0, let slot = free.popLast(), let intended = late.takeFirst() {
            lateCount -= 1
            start(slot, intended: intended)
        }
    }

    private func start(_ slot: Int, intended: UInt64) {
        guard let handlers else { return }
        slots[slot].intended = intended
        begun += 1
        let request = setup.request(plan.url, number: begun * plan.loops + index)
        setup.group.connect(request, handlers: handlers, with: slot, on: index) { [self] error in
            free.append(slot)
            connectionFailed(error)
        }
    }

    private func opened(_ ws: borrowing WebSocket<Int>) {
        connectionOpened()
        let slot = ws.data
        payload.stamp(Stamp(sender: UInt32(slot), sequence: slots[slot].sequence, time: slots[slot].intended))
        let result = plan.isText ? ws.sendText(payload.span) : ws.sendBinary(payload.span)
        counters.sent += 1
        if case .dropped = result { counters.errors += 1 }
    }

    private func received(_ ws: borrowing WebSocket<Int>, _ message: borrowing Message) {
        let slot = ws.data
        count(message, size: plan.size)
        if payload.hasStamp, message.rawBytes.stamp?.sequence != slots[slot].sequence { counters.errors += 1 }
        slots[slot].sequence = (slots[slot].sequence + 1) & (Stamp.sequences - 1)
        latency.record(intended: slots[slot].intended, now: setup.clock.now)
        ws.close()
    }

    private func closed(_ slot: Int, _ code: CloseCode, _ reason: String) {
        if code == .normalClosure {
            counters.open -= 1
            counters.closed += 1
        } else {
            connectionClosed(code, reason)
        }
        free.append(slot)
        guard phase == .running, code == .normalClosure else { return }
        if schedule == nil {
            if let next = free.popLast() { start(next, intended: setup.clock.now) }
        } else {
            startLate()
        }
    }
}
