import Ringcast

/// Sends, and sends again when the answer has come; or on schedule, whatever has come.
final class EchoWorker: Worker, @unchecked Sendable {
    private struct Peer {
        var socket: WebSocketRef<Int>?
        var sent: UInt32 = 0
        var waiting = 0
        var check = SequenceCheck()
        /// When messages that have no room for a stamp were to be sent.
        var times = TimeQueue()
    }

    private var peers: [Peer]
    private var payload: PayloadTemplate
    private var handlers: WebSocketHandlers<Int>?
    private var schedule: OpenLoopSchedule?
    private var turn = 0

    override init(index: Int, setup: LoadSetup, numbers: [Int]) {
        peers = Array(repeating: Peer(), count: numbers.count)
        payload = PayloadTemplate(size: setup.plan.size)
        super.init(index: index, setup: setup, numbers: numbers)
        handlers = WebSocketHandlers(
            options: setup.socketOptions,
            open: { [self] ws in
                peers[ws.data].socket = ws.reference
                connectionOpened()
            },
            message: { [self] ws, message in received(ws, message) },
            close: { [self] ws, code, reason in
                peers[ws.data].socket = nil
                connectionClosed(code, reason)
            })
    }

    override func releaseHandlers() { handlers = nil }

    override func connect(position: Int) {
        guard let handlers else { return }
        let request = setup.request(plan.url, number: numbers[position])
        setup.group.connect(request, handlers: handlers, with: position, on: index) { [self] in connectionFailed($0) }
    }

    override var outstanding: Int { peers.reduce(0) { $0 + ($1.socket == nil ? 0 : $1.waiting) } }

    override var tickInterval: UInt64 { schedule?.tick ?? super.tickInterval }

    override func begin() {
        phase = .running
        let now = setup.clock.now
        if let rate = plan.rate {
            // A share of the connections is a share of the rate.
            let share = Double(numbers.count) / Double(plan.connections)
            schedule = OpenLoopSchedule(rate: rate * share, start: now)
            return
        }
        for position in peers.indices {
            guard let socket = peers[position].socket else { continue }
            for _ in 0..<plan.depth {
                prepare(position, intended: now)
                count(plan.isText ? socket.sendText(payload.span) : socket.sendBinary(payload.span))
            }
        }
    }

    override func tick(_ now: UInt64) {
        guard phase == .running else { return }
        while let due = schedule?.due(by: now) {
            for _ in 0..<due.count { sendOnSchedule(intended: due.intended) }
        }
    }

    /// To the connection whose turn it is.
    private func sendOnSchedule(intended: UInt64) {
        for _ in peers.indices {
            turn = turn + 1 < peers.count ? turn + 1 : 0
            guard let socket = peers[turn].socket else { continue }
            prepare(turn, intended: intended)
            return count(plan.isText ? socket.sendText(payload.span) : socket.sendBinary(payload.span))
        }
    }

    private func received(_ ws: borrowing WebSocket<Int>, _ message: borrowing Message) {
        let now = setup.clock.now
        let position = ws.data
        count(message, size: plan.size)
        peers[position].waiting -= 1
        if !payload.hasStamp {
            if let intended = peers[position].times.takeFirst() { latency.record(intended: intended, now: now) }
        } else if let stamp = message.rawBytes.stamp, stamp.sender == UInt32(truncatingIfNeeded: numbers[position]) {
            latency.record(intended: stamp.time, now: now)
            count(peers[position].check.receive(stamp.sequence))
        } else {
            counters.errors += 1
        }
        guard phase == .running, schedule == nil else { return }
        prepare(position, intended: now)
        count(plan.isText ? ws.sendText(payload.span) : ws.sendBinary(payload.span))
    }

    /// Writes the stamp of the next message.
    @inline(__always)
    private func prepare(_ position: Int, intended: UInt64) {
        if payload.hasStamp {
            let sender = UInt32(truncatingIfNeeded: numbers[position])
            payload.stamp(Stamp(sender: sender, sequence: peers[position].sent, time: intended))
        } else {
            peers[position].times.append(intended)
        }
        peers[position].sent = (peers[position].sent + 1) & (Stamp.sequences - 1)
        peers[position].waiting += 1
    }

    @inline(__always)
    private func count(_ result: SendResult) {
        counters.sent += 1
        if case .dropped = result { counters.errors += 1 }
    }
}
