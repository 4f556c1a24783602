internal import Glibc
internal import IOUring
internal import Synchronization

/// What the loops of a group know of each other.
package final class GroupState: Sendable {
    let mailboxes: [Mailbox<MailboxItem>]
    package let statistics: [LoopStatistics]
    let placement: ConnectionPlacement
    /// The loops' clock (ms), given the last reading.
    let clock: @Sendable (UInt64) -> UInt64
    private let addresses = Mutex<[LoopAddress]>([])
    private let lastExhaustionReport = Mutex<UInt64>(0)
    private let endedCount = Atomic<Int>(0)
    private let allEnded = Atomic<Bool>(false)
    /// Who empties the mailboxes after the last loop has ended. Never taken before.
    private let lastWill = Mutex<Void>(())
    /// Gives back what a message carries that no loop will read.
    private let discard: @Sendable (ServiceMessage) -> Void

    package init(
        loopCount: Int, placement: ConnectionPlacement,
        discard: @escaping @Sendable (ServiceMessage) -> Void = { _ in },
        clock: @escaping @Sendable (UInt64) -> UInt64 = { _ in MonotonicClock.milliseconds }
    ) {
        mailboxes = (0..<loopCount).map { _ in
            Mailbox(
                producers: loopCount, laneCapacity: 256, overflowLimit: 1 << 20, foreignCapacity: 1 << 16,
                byteLimit: 64 << 20, byteCount: \.byteCount)
        }
        statistics = (0..<loopCount).map { _ in LoopStatistics() }
        self.placement = placement
        self.discard = discard
        self.clock = clock
    }

    var loopCount: Int { mailboxes.count }

    /// Set once, when every loop has its driver and before any of them runs.
    func setAddresses(_ addresses: [LoopAddress]) { self.addresses.withLock { $0 = addresses } }

    func address(of loop: Int) -> LoopAddress? {
        addresses.withLock { loop < $0.count ? $0[loop] : nil }
    }

    /// From any thread.
    func wake(_ loop: Int) { address(of: loop)?.wakeUp.ring() }

    /// Which loop gets a connection that `loop` accepted.
    func placement(accepting loop: Int) -> Int {
        switch placement {
        case .kernel: loop
        case .balanced: emptiestLoop
        }
    }

    /// The loop with the fewest connections.
    var emptiestLoop: Int { statistics.indices.min { statistics[$0].open.value < statistics[$1].open.value } ?? 0 }

    /// A loop has ended. The last one takes care of what was handed to loops that had ended already.
    func loopEnded() {
        guard endedCount.wrappingAdd(1, ordering: .acquiringAndReleasing).newValue == loopCount else { return }
        allEnded.store(true, ordering: .sequentiallyConsistent)
        emptyMailboxes()
    }

    /// After a push by a thread that runs no loop: either the last loop sees the message, or this thread sees the end.
    func emptyMailboxesIfEnded() {
        if allEnded.load(ordering: .sequentiallyConsistent) { emptyMailboxes() }
    }

    private func emptyMailboxes() {
        lastWill.withLock { _ in
            for mailbox in mailboxes {
                repeat {
                    _ = mailbox.drain { message in
                        switch message {
                        case .adopt(let descriptor, _): close(descriptor)
                        case .reached: break
                        case .service(let message): discard(message)
                        }
                    }
                } while !(0..<loopCount).allSatisfy { mailbox.flushOverflow(from: $0) } || !mailbox.isEmpty
            }
        }
    }

    /// One sentence for all loops, not one for each.
    func reportExhaustion(_ error: SystemError, log: LogSink) {
        let now = MonotonicClock.milliseconds
        let isNews = lastExhaustionReport.withLock { last in
            defer { last = now }
            return last == 0 || now - last > 10_000
        }
        guard isNews else { return }
        log(
            .warning,
            "no connection can be accepted at present (\(error)): waiting until one of the open ones is closed; "
                + "raise the limit of open files (ulimit -n) for more")
    }
}

/// How to wake a loop.
struct LoopAddress: Sendable {
    /// For any thread.
    let wakeUp: WakeUpEvent
    /// Its ring, for other loops; nil where rings cannot reach each other.
    let notificationAddress: Int32?
}

extension EventLoop {
    /// Posts to the handler of another loop, or of this one, in order. False: that loop's mailbox is at its bound, and
    /// nothing was posted. Costs a few stores; the loop is woken at the end of the turn, if it sleeps.
    package func post(_ message: ServiceMessage, to loop: Int) -> Bool {
        guard group.mailboxes[loop].push(.service(message), from: index) else { return false }
        posted.insert(loop)
        return true
    }

    /// The same for what must not be lost: it is posted whatever waits already, and keeps its place in the order.
    package func postUrgent(_ message: ServiceMessage, to loop: Int) {
        group.mailboxes[loop].pushUrgent(.service(message), from: index)
        posted.insert(loop)
    }

    /// So much of what this loop has posted to another one waits that it should post less.
    package func isPastWatermark(of loop: Int) -> Bool { group.mailboxes[loop].isPastWatermark(from: index) }

    /// The end of the turn: one wake-up for each loop that was posted something and sleeps.
    func wakePostedLoops() {
        posted.removeAll { loop in
            let mailbox = group.mailboxes[loop]
            let isDelivered = mailbox.flushOverflow(from: index)
            if loop != index, mailbox.shouldWake(from: index) {
                statistics.wakeUps.add(1)
                wake(loop)
            }
            return isDelivered
        }
    }

    /// The other ring could not be reached (its queue is full, memory was short): that loop would sleep on.
    func notifyFailed(_ completion: DriverCompletion) {
        if completion.error != nil { group.wake(Int(completion.token.slot)) }
    }

    private func wake(_ loop: Int) {
        guard let address = group.address(of: loop) else { return }
        if let ring = address.notificationAddress, driver.notificationAddress != nil {
            driver.notify(ring, token: Token(.notify, slot: UInt32(loop)))
        } else {
            address.wakeUp.ring()
        }
    }

    func token(_ operation: Token.Operation, _ connection: ConnectionSlot) -> Token {
        Token(operation, generation: connection.state.generation, slot: connection.state.slot)
    }
}

/// A small set of loop indices, in the order of insertion.
struct LoopSet {
    private var isMember: [Bool]
    private(set) var members: [Int] = []

    init(loopCount: Int) { isMember = Array(repeating: false, count: loopCount) }

    var isEmpty: Bool { members.isEmpty }

    mutating func insert(_ loop: Int) {
        guard !isMember[loop] else { return }
        isMember[loop] = true
        members.append(loop)
    }

    /// Removes those for which `isDone` says so.
    mutating func removeAll(where isDone: (Int) -> Bool) {
        guard !members.isEmpty else { return }
        members.removeAll { loop in
            guard isDone(loop) else { return false }
            isMember[loop] = false
            return true
        }
    }
}
