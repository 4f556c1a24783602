import Ringcast

/// Users as a scenario tells: they come, send, wait for the answer, think, and send again; and they go.
final class MixedWorker: Worker, @unchecked Sendable {
    private struct User {
        var socket: WebSocketRef<Int>?
        var waitsForAnswer = true
        var isLeaving = false
        var sent: UInt32 = 0
        /// When the message was to be sent that waits for its answer.
        var intended: UInt64 = 0
        var isWaiting = false
    }

    private let scenario: Scenario
    private var users: [User] = []
    /// Places in `users` that are free.
    private var free: [Int] = []
    private var due = DueQueue()
    private var payload: PayloadTemplate
    private var random = SystemRandomNumberGenerator()
    private var start: UInt64 = 0
    private var think = 0.0...0.0
    /// Users that are here or on their way.
    private var present = 0
    private var begun = 0
    /// No user comes before this moment.
    private var comesAgain: UInt64 = 0
    /// Users stay away for so long where one has failed, so that a server that is gone is not asked without a rest.
    private static let restAfterFailure: UInt64 = 100_000_000

    init(index: Int, setup: LoadSetup, scenario: Scenario) {
        self.scenario = scenario
        payload = PayloadTemplate(size: scenario.size.upperBound)
        super.init(index: index, setup: setup, numbers: [])
    }

    override var tickInterval: UInt64 { 1_000_000 }
    override var outstanding: Int { users.reduce(0) { $0 + ($1.isWaiting && $1.socket != nil ? 1 : 0) } }

    override func begin() {
        phase = .running
        start = setup.clock.now
        tick(start)
    }

    override func tick(_ now: UInt64) {
        guard phase == .running, let moment = scenario.moment(at: Double(now - start) / 1e9) else { return }
        think = moment.think
        // This worker's share of the users.
        let wanted = moment.users / plan.loops + (index < moment.users % plan.loops ? 1 : 0)
        if now >= comesAgain { while present < wanted { arrive() } }
        if present > wanted { leave(present - wanted) }
        while let next = due.takeDue(by: now) { act(next.user, intended: next.at) }
    }

    // MARK: coming and going

    private func arrive() {
        let place = free.popLast() ?? users.count
        if place == users.count { users.append(User()) }
        let path = scenario.path(at: Double.random(in: 0..<1, using: &random))
        users[place] = User(waitsForAnswer: path.waitsForAnswer)
        present += 1
        begun += 1
        let number = begun * plan.loops + index
        connect(
            setup.request(setup.base(path: path.path), topic: number % plan.topics, number: number), with: place)
    }

    override func failed(data place: Int) {
        forget(place)
        comesAgain = setup.clock.now + Self.restAfterFailure
    }

    private func leave(_ count: Int) {
        var rest = count
        for place in users.indices.reversed() where rest > 0 && !users[place].isLeaving {
            guard let socket = users[place].socket else { continue }
            users[place].isLeaving = true
            present -= 1
            rest -= 1
            socket.close()
        }
    }

    private func forget(_ place: Int) {
        if !users[place].isLeaving { present -= 1 }
        users[place] = User()
        users[place].isLeaving = true
        free.append(place)
    }

    override func opened(_ ws: borrowing WebSocket<Int>) {
        users[ws.data].socket = ws.reference
        letThink(ws.data)
    }

    override func closed(_ ws: borrowing WebSocket<Int>, _ code: CloseCode) -> Bool {
        let isExpected = users[ws.data].isLeaving
        forget(ws.data)
        if !isExpected { comesAgain = setup.clock.now + Self.restAfterFailure }
        return isExpected
    }

    // MARK: sending

    /// The user thinks, and then sends.
    private func letThink(_ place: Int) {
        let seconds = Double.random(in: think, using: &random)
        due.add(place, at: setup.clock.now + UInt64(seconds * 1e9))
    }

    private func act(_ place: Int, intended: UInt64) {
        guard let socket = users[place].socket, !users[place].isLeaving, !users[place].isWaiting else { return }
        let size = Int.random(in: scenario.size, using: &random)
        payload.stamp(Stamp(sender: UInt32(place), sequence: users[place].sent, time: intended))
        users[place].sent = (users[place].sent + 1) & (Stamp.sequences - 1)
        users[place].intended = intended
        count(plan.isText ? socket.sendText(payload.prefix(size)) : socket.sendBinary(payload.prefix(size)))
        if users[place].waitsForAnswer { users[place].isWaiting = true } else { letThink(place) }
    }

    override func received(_ ws: borrowing WebSocket<Int>, _ message: borrowing Message) {
        let place = ws.data
        count(message, size: nil)
        guard users[place].isWaiting else { return }
        users[place].isWaiting = false
        latency.record(intended: users[place].intended, now: setup.clock.now)
        letThink(place)
    }
}
