internal import Glibc
internal import Synchronization
internal import SystemCalls

/// What the loops of a group share: the way to each other, their counters, and the rules for all of them.
///
/// Everything in it is constant, atomic, or behind a lock that no message takes.
package final class GroupState: Sendable {
    let mailboxes: [Mailbox<MailboxItem>]
    package let statistics: [LoopStatistics]
    let placement: ConnectionPlacement
    /// The loops' clock (ms); it is given the last reading.
    let clock: @Sendable (UInt64) -> UInt64
    /// What the loops measure themselves by.
    let meter: LoopMeter
    private let directory = LoopDirectory()
    private let lastExhaustionReport = Mutex<UInt64>(0)
    private let endedCount = Atomic<Int>(0)
    private let allEnded = Atomic<Bool>(false)
    /// Held by the thread that empties the mailboxes after the last loop has ended. Never taken before.
    private let lastWill = Mutex<Void>(())
    /// Gives back what a message carries that no loop will read.
    private let discard: @Sendable (ServiceMessage) -> Void

    package init(
        loopCount: Int, placement: ConnectionPlacement, room: MailboxRoom = MailboxRoom(),
        discard: @escaping @Sendable (ServiceMessage) -> Void = { _ in },
        clock: @escaping @Sendable (UInt64) -> UInt64 = { _ in MonotonicClock.milliseconds },
        meter: LoopMeter = .system
    ) {
        mailboxes = (0..<loopCount).map { _ in
            Mailbox(
                producers: loopCount, laneCapacity: room.lane, overflowLimit: room.overflow,
                foreignCapacity: room.foreignLane, byteLimit: room.bytes, byteCount: \.byteCount)
        }
        statistics = (0..<loopCount).map { _ in LoopStatistics() }
        self.placement = placement
        self.discard = discard
        self.clock = clock
        self.meter = meter
    }

    var loopCount: Int { mailboxes.count }

    /// Set once, when every loop has its driver and before any of them runs.
    package func setAddresses(_ addresses: [DriverAddress]) { directory.set(addresses) }

    /// The way to each loop; empty before all are there. Loops keep what they have read.
    var driverAddresses: [DriverAddress] { directory.addresses }

    /// From any thread.
    func wake(_ loop: Int) { directory.wake(loop) }

    /// Which loop gets a connection that `loop` accepted.
    func placement(accepting loop: Int) -> Int {
        switch placement {
        case .kernel: loop
        case .balanced: emptiestLoop
        }
    }

    /// The loop with the fewest connections.
    var emptiestLoop: Int {
        statistics.indices.min { statistics[$0].connections.value < statistics[$1].connections.value } ?? 0
    }

    /// A loop has ended. The last one takes care of what was handed to loops that had ended already.
    func loopEnded() {
        guard endedCount.wrappingAdd(1, ordering: .acquiringAndReleasing).newValue == loopCount else { return }
        allEnded.store(true, ordering: .sequentiallyConsistent)
        emptyMailboxes()
    }

    /// Called after a push by a thread without a loop: either the last loop sees the message, or this thread the end.
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

    /// Tells the log once for all loops that none can accept.
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

/// How much waits for a loop at most; a simulation has less of it, so that bounds are met.
package struct MailboxRoom: Sendable {
    /// Messages in the lane from one loop; a power of two.
    package var lane = 256
    /// Messages that a loop holds back behind its full lane.
    package var overflow = 1 << 20
    /// Messages in the lane of all other threads; a power of two.
    package var foreignLane = 1 << 16
    /// Memory that may wait with the messages of one overflow, or of the other threads' lane.
    package var bytes = 64 << 20

    package init() {}
}
