import Ringcast
import Synchronization

/// Bun's chat benchmark: in a round everyone says 1,600 short texts; the next round begins once everyone has heard all
/// of the last one, at the next multiple of the interval.
///
/// A round's latency is the time from its beginning until this worker's members have heard all of it.
final class ChatWorker: Worker, @unchecked Sendable {
    private let rounds: ChatRounds
    private var members: [WebSocketRef<Int>?]
    private var round = 0
    private var roundStart: UInt64 = 0
    /// Messages that are still to come; below zero where others have begun the next round already.
    private var awaited = 0
    private var isBetweenRounds = true

    init(index: Int, setup: LoadSetup, numbers: [Int], rounds: ChatRounds) {
        self.rounds = rounds
        members = Array(repeating: nil, count: numbers.count)
        super.init(index: index, setup: setup, numbers: numbers)
    }

    override func request(position: Int) -> ClientRequest {
        let separator = plan.url.contains("?") ? "&" : "?"
        return setup.request(plan.url + "\(separator)name=Alice\(numbers[position])", number: numbers[position])
    }

    override func opened(_ ws: borrowing WebSocket<Int>) { members[ws.data] = ws.reference }

    override func closed(_ ws: borrowing WebSocket<Int>, _ code: CloseCode) -> Bool {
        members[ws.data] = nil
        return false
    }

    override var tickInterval: UInt64 { 1_000_000 }
    override var outstanding: Int { isBetweenRounds ? 0 : awaited }

    override func begin() {
        phase = .running
        say(setup.clock.now)
    }

    override func tick(_ now: UInt64) {
        guard isBetweenRounds else { return }
        // At the end, too, members take part in a round that another worker has begun: its members wait for all texts.
        let begins =
            phase == .running ? rounds.mayBegin(round, now: now) : phase == .finishing && rounds.hasBegun(round + 1)
        if begins { say(now) }
    }

    private func say(_ now: UInt64) {
        round += 1
        rounds.begin(round)
        roundStart = now
        isBetweenRounds = false
        awaited += members.count * plan.connections * ChatScript.textsPerRound
        for member in members {
            guard let member else { continue }
            for number in 0..<ChatScript.textsPerRound {
                let text = ChatScript.texts[number % ChatScript.texts.count]
                count(member.sendText(unsafe text.span.bytes))
            }
        }
        if awaited <= 0 { completed(now) }
    }

    override func received(_ ws: borrowing WebSocket<Int>, _ message: borrowing Message) {
        count(message, size: nil)
        awaited -= 1
        if awaited == 0, !isBetweenRounds { completed(setup.clock.now) }
    }

    private func completed(_ now: UInt64) {
        isBetweenRounds = true
        latency.record(intended: roundStart, now: now)
        rounds.complete(at: now)
    }
}

/// What the workers of a chat know of each other: how many rounds they have completed, and when the last of them did.
final class ChatRounds: Sendable {
    private let workers: Int
    private let interval: UInt64
    private let begun = Atomic<Int>(0)
    private let completed = Atomic<Int>(0)
    private let lastCompletion = Atomic<UInt64>(0)

    init(workers: Int, milliseconds: Int) {
        self.workers = workers
        interval = UInt64(milliseconds) * 1_000_000
    }

    func begin(_ round: Int) { begun.max(round, ordering: .relaxed) }

    func hasBegun(_ round: Int) -> Bool { begun.load(ordering: .relaxed) >= round }

    func complete(at now: UInt64) {
        lastCompletion.store(now, ordering: .relaxed)
        completed.add(1, ordering: .releasing)
    }

    /// Whether all workers have completed `round` rounds, and the time of the next one has come.
    func mayBegin(_ round: Int, now: UInt64) -> Bool {
        guard completed.load(ordering: .acquiring) >= round * workers else { return false }
        guard interval > 0 else { return true }
        return now / interval > lastCompletion.load(ordering: .relaxed) / interval
    }
}

/// What a client of the chat benchmark says in a round: 50 short texts of the lengths that Bun publishes (595 bytes in
/// all), 32 times over.
package enum ChatScript {
    package static let textsPerRound = 1_600
    package static let lengths = [
        12, 14, 14, 14, 14, 14, 14, 14, 14, 14, 28, 22, 3, 8, 6, 6, 3, 5, 10, 10, 14, 14, 14, 28, 22, 3, 8, 6, 6, 3, 5,
        10, 10, 14, 14, 14, 28, 14, 14, 14, 28, 22, 3, 8, 6, 6, 3, 5, 10, 10,
    ]
    private static let filler = Array("abcdefghijklmnopqrstuvwxyz0123456789".utf8)

    /// The 50 texts.
    package static let texts: [[UInt8]] = lengths.map { Array(filler[..<$0]) }
}
