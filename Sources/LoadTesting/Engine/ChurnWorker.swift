import Ringcast

/// Connects, sends one message, waits for its answer, closes; again and again, or on schedule.
///
/// Latency is from the beginning of the connection, or from when it was to begin, until the answer.
final class ChurnWorker: Worker, @unchecked Sendable {
    private struct Slot {
        var intended: UInt64 = 0
        var sequence: UInt32 = 0
        var isAnswered = false
    }

    private var slots: [Slot]
    /// Slots without a connection.
    private var free: [Int]
    private var payload: PayloadTemplate
    private var schedule: OpenLoopSchedule?
    /// When those connections were to begin that found no slot.
    private var late = TimeQueue()
    private var lateCount = 0
    private var begun = 0

    init(index: Int, setup: LoadSetup) {
        let (plan, loops) = (setup.plan, setup.plan.loops)
        let count = plan.connections / loops + (index < plan.connections % loops ? 1 : 0)
        slots = Array(repeating: Slot(), count: count)
        free = Array((0..<count).reversed())
        payload = PayloadTemplate(size: plan.size)
        // No connection is opened before the load begins: opening them is the load.
        super.init(index: index, setup: setup, numbers: [])
    }

    override var tickInterval: UInt64 { schedule?.tick ?? super.tickInterval }
    override var outstanding: Int { slots.count - free.count }
    override var unsent: Int { lateCount + (schedule?.overdue(at: inTime) ?? 0) }

    override func begin() {
        phase = .running
        let now = setup.clock.now
        if let rate = plan.rate {
            let share = Double(slots.count) / Double(plan.connections)
            schedule = slots.isEmpty ? nil : OpenLoopSchedule(rate: rate * share, start: now)
        } else {
            fillSlots(now)
        }
    }

    override func tick(_ now: UInt64) {
        guard phase == .running else { return }
        // Connections that failed are tried again at ticks, so that a server that is gone is not asked without a rest.
        if schedule == nil { return fillSlots(now) }
        var budget = Self.mostAtOnce
        while budget > 0, let due = schedule?.due(by: now) {
            budget -= due.count
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
        slots[slot].intended = intended
        slots[slot].isAnswered = false
        begun += 1
        connect(setup.request(plan.url, number: begun * plan.loops + index), with: slot)
    }

    override func failed(data slot: Int) { free.append(slot) }

    override func opened(_ ws: borrowing WebSocket<Int>) {
        let slot = ws.data
        payload.stamp(Stamp(sender: UInt32(slot), sequence: slots[slot].sequence, time: slots[slot].intended))
        count(plan.isText ? ws.sendText(payload.span) : ws.sendBinary(payload.span))
    }

    override func received(_ ws: borrowing WebSocket<Int>, _ message: borrowing Message) {
        let slot = ws.data
        var isSound = count(message, size: plan.size)
        if slots[slot].isAnswered {
            counters.duplicated += 1
            return
        }
        slots[slot].isAnswered = true
        if isSound, !isAnswer(message.rawBytes, slot) {
            mismatched(.content)
            isSound = false
        }
        slots[slot].sequence = (slots[slot].sequence + 1) & (Stamp.sequences - 1)
        if isSound { latency.record(intended: slots[slot].intended, now: setup.clock.now) }
        ws.close()
    }

    private func isAnswer(_ bytes: RawSpan, _ slot: Int) -> Bool {
        guard payload.hasSameRest(as: bytes) else { return false }
        return !payload.hasStamp || bytes.stamp?.sequence == slots[slot].sequence
    }

    /// Once the answer has come this end closes, and the server may say what it likes to that, or nothing.
    override func closed(_ ws: borrowing WebSocket<Int>, _ code: CloseCode) -> Bool {
        let slot = ws.data
        let isExpected = slots[slot].isAnswered
        free.append(slot)
        guard phase == .running, isExpected else { return isExpected }
        if schedule == nil {
            if let next = free.popLast() { start(next, intended: setup.clock.now) }
        } else {
            startLate()
        }
        return true
    }
}
