package import Reactor
internal import SystemCalls

/// A driver over connections in memory: deterministic, never blocks, and watches that its loop keeps the laws.
///
/// The test plays the peers (`connect`); nothing happens between two waits. With a seed, completions of different
/// operations change places, input comes in pieces of any size, and an operation may be answered a wait later.
package final class SimulatedDriver: Driver {
    package struct Options: Sendable {
        package var sendsInBatches = true
        package var gathersCompletions = true
        package var acceptsRepeatedly = true
        package var smallBuffers = (count: 512, byteCount: 4096)
        package var largeBuffers = (count: 32, byteCount: 65536)
        /// Descriptors that the loop's connections may hold; accepting beyond fails with EMFILE.
        package var descriptorLimit = Int.max
        /// Operations that one wait hands over; the rest stays for the next.
        package var submissionLimit = Int.max
        /// Completions that one wait brings, beside those of batched sends; the rest stays for the next.
        package var completionLimit = Int.max
        /// What other simulated drivers reach this one by; nil: its eventfd alone.
        package var directAddress: Int32?
        /// With a seed: now and then a send finds no memory, which ends its connection.
        package var runsOutOfMemory = false
        /// nil: everything in order and at once.
        package var seed: UInt64?

        package init() {}
    }

    /// How often the loop has asked for something.
    package struct Counts {
        package var waits = 0
        /// Those that were to gather several completions.
        package var gatheringWaits = 0
        package var accepts = 0
        package var receives = 0
        package var sends = 0
        package var cancels = 0
        /// What a kernel may do and the loop does not want: short sends, late answers, receives that end by themselves.
        package var faults = 0
    }

    package let address: DriverAddress
    package var gathersCompletions: Bool { options.gathersCompletions }
    package internal(set) var counts = Counts()
    /// How long the loop would have slept in its last wait (`.max`: for ever); nil: there was something to do.
    package private(set) var sleep: UInt64?
    package var options: Options
    /// Cancels from now on that find nothing, though it is there.
    package var missedCancels = 0
    /// Drivers that were to be reached directly, in order.
    package internal(set) var notified: [Int32] = []
    /// Reaches the driver that has this direct address.
    package var reach: (Int32) -> Void = { _ in }
    /// Errors (errno) that the next accepts fail with.
    package var acceptErrors: [Int32] = []
    /// Errors (errno) that the next sockets cannot be made for.
    package var socketErrors: [Int32] = []
    /// What goes on while a wait gathers; nil: no time passes in it.
    package var clock: VirtualClock?
    package var whileGathering: () -> Void = {}
    /// How long the next wait lasts (ms of `clock`), behind what it hands over.
    package var nextWaitDuration: UInt64 = 0
    /// Waits from now on that a signal ends: they bring nothing of what has come.
    package var interruptedWaits = 0
    /// Notifications of other drivers from now on that the kernel refuses.
    package var refusedNotifications = 0
    /// Another driver has ended the present wait, or the next one.
    package var isNotified = false
    /// In microseconds.
    package private(set) var longestGathering: UInt32 = 0

    let small: SimulatedBuffers
    let large: SimulatedBuffers
    var random: SeededGenerator
    /// Asked for and not handed over.
    var operations: [SimulatedOperation] = []
    /// Accepts that are armed, by listener.
    var accepts: [Int32: Token] = [:]
    /// Peers that are not accepted yet, by listener.
    var waitingPeers: [Int32: [SimulatedPeer]] = [:]
    /// The other ends of all open descriptors, in the order in which these were opened.
    var openPeers: [SimulatedPeer] = []
    var peers: [Int32: SimulatedPeer] = [:]
    /// The sockets of the loop's connections, by slot.
    var slots: [UInt32: Int32] = [:]
    /// Ends of the loop's outbound connections, in order.
    package internal(set) var outboundPeers: [SimulatedPeer] = []
    /// Where each of them was looked for.
    package internal(set) var outboundAddresses: [ConnectAddress] = []
    package internal(set) var closedListeners: Set<Int32> = []
    package internal(set) var listenersThatIgnore: Set<Int32> = []
    /// The socket or listener of every operation that is not answered yet.
    var inFlight: [Token: Int32] = [:]
    private var nextDescriptor = SimulatedDriver.firstDescriptor
    /// With a seed numbers are used again, as a kernel does, the last closed one first.
    var freeDescriptors: [Int32] = []
    /// Answered, in the order of the events; later ones may be ordered otherwise.
    var answers: [DriverCompletion] = []
    private var completions: ArraySlice<DriverCompletion> = []
    /// How many acts there had been when nobody had rung.
    private var actsWhenSilent: Int?

    /// Beyond every real descriptor.
    package static let listener: Int32 = 1 << 20
    private static let firstDescriptor: Int32 = 1 << 20 + 1024

    package init(_ options: Options = Options()) {
        self.options = options
        small = SimulatedBuffers(count: options.smallBuffers.count, bufferSize: options.smallBuffers.byteCount)
        large = SimulatedBuffers(count: options.largeBuffers.count, bufferSize: options.largeBuffers.byteCount)
        random = SeededGenerator(seed: options.seed ?? 0)
        do {
            address = DriverAddress(wakeUp: try WakeUpEvent(), direct: options.directAddress)
        } catch {
            fatalError("no eventfd: \(error)")
        }
    }

    package var sendsInBatches: Bool { options.sendsInBatches }
    package var unsubmittedCount: Int { operations.count }

    /// A new connection, waiting to be accepted; refused if nobody listens any more.
    package func connect(to listener: Int32 = SimulatedDriver.listener) -> SimulatedPeer {
        let peer = SimulatedPeer()
        peer.wasRefused = closedListeners.contains(listener)
        if peer.wasRefused { return peer }
        waitingPeers[listener, default: []].append(peer)
        return peer
    }

    /// Receive buffers that the loop has not given back.
    package var loanCount: Int { small.loanCount + large.loanCount }
    /// Bytes that all receive buffers have room for.
    package var bufferByteCount: Int { small.count * small.bufferSize + large.count * large.bufferSize }
    /// Connections whose descriptor is open.
    package var openCount: Int { openPeers.count }

    /// Begins what was asked for, as a wait does first; the wait itself may come later, and others go on between.
    package func beginWait() { handOver() }

    /// Whether a wait would end now.
    package var hasNews: Bool {
        move()
        return isNotified || !answers.isEmpty || !operations.isEmpty || isRung
    }

    /// Whether somebody has rung; the kernel is asked again only if anybody has done something since.
    private var isRung: Bool {
        guard let clock, clock.acts == actsWhenSilent else { return looksForRings() }
        return false
    }

    private func looksForRings() -> Bool {
        if address.wakeUp.isRung { return true }
        actsWhenSilent = clock?.acts
        return false
    }

    /// What `hasNews` has found.
    package var news: String {
        "notified \(isNotified), rung \(address.wakeUp.isRung), answers \(answers), operations \(operations)"
    }

    package func wait(milliseconds: UInt64?) {
        counts.waits += 1
        isNotified = false
        address.wakeUp.takeRings()
        law(completions.isEmpty, "a wait began before all completions were collected")
        if chance(2) { moveInput() }
        handOver()
        clock?.advance(nextWaitDuration)
        nextWaitDuration = 0
        move()
        collect()
        keepAside()
        let isIdle = completions.isEmpty && answers.isEmpty && operations.isEmpty
        sleep = isIdle && milliseconds != 0 ? milliseconds ?? .max : nil
    }

    /// Time goes on within the wait, millisecond by millisecond; what comes at each is `whileGathering`'s.
    package func wait(milliseconds: UInt64?, gathering count: Int, microseconds: UInt32) {
        law(options.gathersCompletions, "a wait that the driver does not offer")
        counts.gatheringWaits += 1
        longestGathering = max(longestGathering, microseconds)
        handOver()
        move()
        for _ in 0..<microseconds / 1_000 where answers.count < count {
            clock?.advance(1)
            whileGathering()
            move()
        }
        wait(milliseconds: milliseconds)
    }

    package func nextCompletion() -> DriverCompletion? {
        guard let completion = completions.popFirst() else { return nil }
        if !completion.hasMore { settle(completion.token) }
        return completion
    }

    private func move() {
        moveSends()
        moveAccepts()
        moveConnects()
        moveInput()
    }

    /// True once in `count` times, if there is a seed.
    func chance(_ count: Int) -> Bool { options.seed != nil && random.oneIn(count) }

    /// With a seed the operations' answers change places, each one's own stay in order, and some wait for the next
    /// time.
    private func collect() {
        guard options.seed != nil else {
            completions = answers[...]
            answers = []
            return
        }
        var order: [Token] = []
        var lists: [Token: [DriverCompletion]] = [:]
        for answer in answers {
            if lists[answer.token] == nil { order.append(answer.token) }
            lists[answer.token, default: []].append(answer)
        }
        answers = []
        var chosen: [DriverCompletion] = []
        while let token = order.randomElement(using: &random) {
            // A batched send is over with the wait that hands it over, and so is its answer.
            if token.operation != .batchedSend, random.oneIn(16) {
                counts.faults += 1
                answers += lists[token] ?? []
                lists[token] = []
            } else if let answer = lists[token]?.first {
                chosen.append(answer)
                lists[token]?.removeFirst()
            }
            if lists[token]?.isEmpty ?? true { order.removeAll { $0 == token } }
        }
        completions = chosen[...]
    }

    /// What this wait does not bring, though it has come.
    private func keepAside() {
        var left = interruptedWaits > 0 ? 0 : options.completionLimit
        interruptedWaits = max(0, interruptedWaits - 1)
        guard left < completions.count else { return }
        var (brought, kept): ([DriverCompletion], [DriverCompletion]) = ([], [])
        for completion in completions {
            if completion.token.operation == .batchedSend {
                brought.append(completion)
            } else if left > 0 {
                left -= 1
                brought.append(completion)
            } else {
                kept.append(completion)
            }
        }
        completions = brought[...]
        answers = kept + answers
    }

    func makeDescriptor() -> Int32 {
        if options.seed != nil, let last = freeDescriptors.popLast() { return last }
        nextDescriptor += 1
        return nextDescriptor
    }
}
