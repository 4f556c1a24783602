import Glibc
import ReactorTesting
import Synchronization
import SystemCalls
import Testing

@testable import Reactor

/// Threads that push at full speed to a consumer that falls asleep at random. `RINGCAST_STRESS` is the number of
/// messages in millions (default: a tenth of one).
@Suite(.serialized, .blocking) struct MailboxStressTests {
    struct Message: Sendable {
        var sender: Int
        var sequence: Int
        /// On the heap: a sanitizer sees whether its content was handed over, and a leak checker whether it was freed.
        var payload: [Int]
    }

    @Test(.timeLimit(.minutes(60)))
    func `nothing is lost or reordered between six producers and a sleepy consumer`() {
        let loops = 3
        let foreign = 3
        let perSender = Int(1e6 * Self.millions) / (loops + foreign)
        let mailbox = Mailbox<Message>(producers: loops, laneCapacity: 64, overflowLimit: 256, foreignCapacity: 256)
        let bell = Bell()
        var threads: [pthread_t] = []
        for sender in 0..<loops + foreign {
            threads.append(
                startThread {
                    if sender < loops {
                        Self.produceAsLoop(sender, perSender, into: mailbox, bell)
                    } else {
                        Self.produceAsForeigner(sender, perSender, into: mailbox, bell)
                    }
                })
        }
        var expected = [Int](repeating: 0, count: loops + foreign)
        var faults = 0
        var left = perSender * (loops + foreign)
        var random = SeededGenerator(seed: 1)
        var sleeps = 0
        while left > 0 {
            let limit = Int.random(in: 1...200, using: &random)
            left -= mailbox.drain(limit: limit) { message in
                if message.sequence != expected[message.sender] || message.payload != [message.sequence] { faults += 1 }
                expected[message.sender] = message.sequence + 1
            }
            if left == 0 { break }
            if Int.random(in: 0..<16, using: &random) == 0 { sched_yield() }
            if mailbox.prepareToSleep() {
                // Blocks without a timeout: a lost wake-up hangs the test.
                bell.wait()
                sleeps += 1
            }
            mailbox.wokeUp()
        }
        for thread in threads { pthread_join(thread, nil) }
        #expect(faults == 0)
        // A drain that ends at its limit leaves the lane's bit for the next one.
        #expect(mailbox.drain { _ in } == 0)
        #expect(mailbox.isEmpty && mailbox.depth == 0)
        #expect(sleeps > 0, "the sleeping protocol has been used")
    }

    @Test(.timeLimit(.minutes(60)))
    func `one message at a time wakes the consumer every time`() {
        let rounds = Int(1e5 * Self.millions)
        let ping = Mailbox<Int>(producers: 1)
        let pong = Mailbox<Int>(producers: 1)
        let (pingBell, pongBell) = (Bell(), Bell())
        let echo = startThread {
            for round in 0..<rounds {
                let message = ping.takeOne(pingBell)
                _ = pong.push(message + round, from: 0)
                if pong.shouldWake(from: 0) { pongBell.ring() }
            }
        }
        var faults = 0
        for round in 0..<rounds {
            _ = ping.push(foreign: round)
            if ping.shouldWakeAfterForeignPush() { pingBell.ring() }
            if pong.takeOne(pongBell) != 2 * round { faults += 1 }
        }
        pthread_join(echo, nil)
        #expect(faults == 0)
    }

    /// A push that finds the consumer between its look and its sleep: only bursts of a few pushes, each with a wake-up
    /// of its own, and all of them taken before the next, come to that point over and over.
    @Test(.timeLimit(.minutes(60)))
    func `each of a burst of pushes wakes a consumer that has fallen asleep`() {
        let rounds = Int(1e5 * Self.millions)
        let mailbox = Mailbox<Int>(producers: 1)
        let burst = Burst()
        let producer = startThread {
            var random = SeededGenerator(seed: 3)
            var pushed = 0
            for _ in 0..<rounds where !burst.isOver.load(ordering: .relaxed) {
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    _ = mailbox.push(pushed, from: 0)
                    pushed += 1
                    if mailbox.shouldWake(from: 0) { burst.isRung.store(true, ordering: .releasing) }
                }
                burst.pushed.store(pushed, ordering: .releasing)
                burst.waitUntilTaken(pushed, pause: Int.random(in: 0..<200, using: &random))
            }
            burst.isOver.store(true, ordering: .releasing)
        }
        var taken = 0
        var isLost = false
        while !isLost, !burst.isOver.load(ordering: .acquiring) || taken < burst.pushed.load(ordering: .acquiring) {
            let count = mailbox.drain { _ in }
            taken += count
            if count > 0 {
                burst.taken.store(taken, ordering: .releasing)
            } else if mailbox.prepareToSleep() {
                isLost = !burst.sleep(with: taken)
                mailbox.wokeUp()
            }
        }
        burst.isOver.store(true, ordering: .releasing)
        pthread_join(producer, nil)
        #expect(!isLost, "asleep, with \(taken) of \(burst.pushed.load(ordering: .relaxed)) messages taken")
    }

    private static let millions: Double = {
        guard let text = unsafe getenv("RINGCAST_STRESS") else { return 0.1 }
        return unsafe Double(String(cString: text)) ?? 0.1
    }()

    /// A loop's turn: some pushes, one look at the overflow, one wake-up.
    private static func produceAsLoop(_ sender: Int, _ count: Int, into mailbox: Mailbox<Message>, _ bell: Bell) {
        var random = SeededGenerator(seed: UInt64(sender))
        var sequence = 0
        var flushed = true
        while sequence < count || !flushed {
            for _ in 0..<min(Int.random(in: 1...40, using: &random), count - sequence) {
                guard mailbox.push(Message(sender: sender, sequence: sequence, payload: [sequence]), from: sender)
                else { break }
                sequence += 1
            }
            flushed = mailbox.flushOverflow(from: sender)
            if mailbox.shouldWake(from: sender) { bell.ring() }
            if !flushed { sched_yield() }
        }
    }

    private static func produceAsForeigner(_ sender: Int, _ count: Int, into mailbox: Mailbox<Message>, _ bell: Bell) {
        for sequence in 0..<count {
            while !mailbox.push(foreign: Message(sender: sender, sequence: sequence, payload: [sequence])) {
                sched_yield()
            }
            if mailbox.shouldWakeAfterForeignPush() { bell.ring() }
        }
    }
}

extension Mailbox where Element == Int {
    fileprivate func takeOne(_ bell: Bell) -> Int {
        var message = -1
        while drain(limit: 1, { message = $0 }) == 0 {
            if prepareToSleep() { bell.wait() }
            wokeUp()
        }
        return message
    }
}

/// What a consumer blocks on: a pipe, a byte per ring.
private final class Bell: Sendable {
    private let read: Int32
    private let write: Int32

    init() {
        var ends: [Int32] = [0, 0]
        precondition(unsafe pipe(&ends) == 0)
        (read, write) = (ends[0], ends[1])
    }

    deinit {
        close(read)
        close(write)
    }

    func ring() {
        var byte: UInt8 = 1
        precondition(uninterrupted { unsafe Glibc.write(write, &byte, 1) } == 1)
    }

    func wait() {
        var byte: UInt8 = 0
        precondition(uninterrupted { unsafe Glibc.read(read, &byte, 1) } == 1)
    }
}

/// How far the two sides of a burst have come. Nobody blocks here: a consumer that wakes within nanoseconds meets the
/// producer's next push far more often.
private final class Burst: Sendable {
    /// Messages of bursts that are over, with all their wake-ups.
    let pushed = Atomic(0)
    let taken = Atomic(0)
    let isRung = Atomic(false)
    let isOver = Atomic(false)

    /// Waits until so many have been taken, and some loads longer.
    func waitUntilTaken(_ count: Int, pause: Int) {
        spin { taken.load(ordering: .acquiring) >= count || isOver.load(ordering: .relaxed) }
        for _ in 0..<pause { _ = taken.load(ordering: .relaxed) }
    }

    /// The consumer's sleep. Returns false if it was not woken although a burst is over of which something is left.
    func sleep(with taken: Int) -> Bool {
        var isWoken = false
        spin {
            // Looked at first: a burst's wake-ups come before its end.
            let hasEnded = pushed.load(ordering: .acquiring) > taken || isOver.load(ordering: .acquiring)
            isWoken =
                isRung.load(ordering: .acquiring)
                || isOver.load(ordering: .acquiring) && pushed.load(ordering: .acquiring) == taken
            return isWoken || hasEnded
        }
        isRung.store(false, ordering: .relaxed)
        return isWoken
    }

    private func spin(until isDone: () -> Bool) {
        var rounds = 0
        while !isDone() {
            rounds += 1
            // Its own processor is not there for everybody.
            if rounds % 1_024 == 0 { usleep(10) }
        }
    }
}

private func startThread(_ body: @escaping @Sendable () -> Void) -> pthread_t {
    final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    let box = unsafe Unmanaged.passRetained(Box(body)).toOpaque()
    let status = unsafe pthread_create(
        &thread, nil,
        { box in
            unsafe Unmanaged<Box>.fromOpaque(box!).takeRetainedValue().body()
            return nil
        }, box)
    precondition(status == 0)
    return thread
}
