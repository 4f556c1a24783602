import Ringcast

/// Sends, and sends again when the answer has come; or on schedule, whatever has come.
final class EchoWorker: Worker, @unchecked Sendable {
    private struct Peer {
        var socket: WebSocketRef<Int>?
        var sent: UInt32 = 0
        /// Answers that are still to come. An answer that later ones have overtaken is not awaited.
        var waiting = 0
        var check = SequenceCheck()
        /// When messages that have no room for a stamp were to be sent.
        var times = TimeQueue()
    }

    private var peers: [Peer]
    private var payload: PayloadTemplate
    private var schedule: OpenLoopSchedule?
    /// The peer that has sent last on schedule.
    private var cursor = 0

    override init(index: Int, setup: LoadSetup, numbers: [Int]) {
        peers = Array(repeating: Peer(), count: numbers.count)
        payload = PayloadTemplate(size: setup.plan.size)
        super.init(index: index, setup: setup, numbers: numbers)
    }

    override func opened(_ ws: borrowing WebSocket<Int>) { peers[ws.data].socket = ws.reference }

    override func closed(_ ws: borrowing WebSocket<Int>, _ code: CloseCode) -> Bool {
        peers[ws.data].socket = nil
        return false
    }

    override var outstanding: Int { peers.reduce(0) { $0 + ($1.socket == nil ? 0 : $1.waiting) } }
    override var unsent: Int { schedule?.overdue(at: inTime) ?? 0 }
    override var tickInterval: UInt64 { schedule?.tick ?? super.tickInterval }

    override func begin() {
        phase = .running
        let now = setup.clock.now
        if let rate = plan.rate {
            // A share of the connections is a share of the rate.
            let share = Double(numbers.count) / Double(plan.connections)
            schedule = numbers.isEmpty ? nil : OpenLoopSchedule(rate: rate * share, start: now)
            return
        }
        for position in peers.indices {
            guard let socket = peers[position].socket else { continue }
            for _ in 0..<plan.depth { send(to: socket, position, intended: now) }
        }
    }

    override func tick(_ now: UInt64) {
        guard phase == .running else { return }
        var budget = Self.mostAtOnce
        while budget > 0, let due = schedule?.due(by: now) {
            budget -= due.count
            for _ in 0..<due.count { sendOnSchedule(intended: due.intended) }
        }
    }

    /// Sends to the next open connection, round and round.
    private func sendOnSchedule(intended: UInt64) {
        for _ in peers.indices {
            cursor = cursor + 1 < peers.count ? cursor + 1 : 0
            guard let socket = peers[cursor].socket else { continue }
            return send(to: socket, cursor, intended: intended)
        }
    }

    private func send(to socket: WebSocketRef<Int>, _ position: Int, intended: UInt64) {
        prepare(position, intended: intended)
        count(plan.isText ? socket.sendText(payload.span) : socket.sendBinary(payload.span))
    }

    override func received(_ ws: borrowing WebSocket<Int>, _ message: borrowing Message) {
        let now = setup.clock.now
        let position = ws.data
        // Some servers greet whoever comes.
        if peers[position].sent == 0 { return }
        let answers = min(judge(message, position, now), peers[position].waiting)
        peers[position].waiting -= answers
        guard phase == .running, schedule == nil else { return }
        for _ in 0..<answers {
            prepare(position, intended: now)
            count(plan.isText ? ws.sendText(payload.span) : ws.sendBinary(payload.span))
        }
    }

    /// Compares a message with what was sent. Returns how many answers are no longer awaited.
    @inline(__always)
    private func judge(_ message: borrowing Message, _ position: Int, _ now: UInt64) -> Int {
        var isSound = count(message, size: plan.size)
        if isSound, payload.isShort || counters.received & 15 == 0, !payload.hasSameRest(as: message.rawBytes) {
            mismatched(.content)
            isSound = false
        }
        guard payload.hasStamp else { return takeUnstamped(position, now, isSound) }
        guard let stamp = message.rawBytes.stamp, stamp.sender == sender(position) else {
            if isSound { mismatched(.content) }
            return 1
        }
        let verdict = peers[position].check.receive(stamp.sequence)
        count(verdict)
        if isSound, verdict != .duplicate { latency.record(intended: stamp.time, now: now) }
        switch verdict {
        case .inOrder: return 1
        case .gap(let missing): return 1 + Int(missing)
        case .late, .duplicate: return 0
        }
    }

    private func takeUnstamped(_ position: Int, _ now: UInt64, _ isSound: Bool) -> Int {
        guard let intended = peers[position].times.takeFirst() else {
            counters.duplicated += 1
            return 0
        }
        if isSound { latency.record(intended: intended, now: now) }
        return 1
    }

    private func sender(_ position: Int) -> UInt32 { UInt32(numbers[position] & (Stamp.senders - 1)) }

    /// Writes the stamp of the next message.
    @inline(__always)
    private func prepare(_ position: Int, intended: UInt64) {
        if payload.hasStamp {
            payload.stamp(Stamp(sender: sender(position), sequence: peers[position].sent, time: intended))
        } else {
            peers[position].times.append(intended)
        }
        peers[position].sent = (peers[position].sent + 1) & (Stamp.sequences - 1)
        peers[position].waiting += 1
    }
}
