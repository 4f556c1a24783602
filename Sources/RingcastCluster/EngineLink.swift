import Reactor
import Ringcast
import SystemCalls

/// One connection of a node to its engine, made again whenever it is lost. Belongs to the backplane's loop.
///
///     waiting ──▶ resolving ──▶ connecting ──▶ (securing) ──▶ greeting ──▶ restoring ──▶ open
///        ▲                                                                                 │
///        └──────────────────────────────── lost, from anywhere ────────────────────────────┘
final class EngineLink {
    enum Phase: Equatable {
        /// Until a time, in the loop's milliseconds.
        case waiting(UInt64)
        case resolving, connecting, securing, greeting
        /// Subscriptions are on their way, with a probe behind them.
        case restoring
        case open
    }

    unowned let loop: EngineLoop
    let purpose: LinkPurpose
    private(set) var phase = Phase.waiting(0)
    private(set) var conversation: any EngineConversation
    private(set) var slot: ConnectionSlot?
    private var candidates: ArraySlice<ConnectAddress> = []
    private var lookup: ResolutionRequest?
    private var lookups = 0
    /// When the engine was heard last, or the phase began, in the loop's milliseconds.
    private var lastHeard: UInt64 = 0
    private(set) var probeTime: UInt64?
    private var nextProbe: UInt64 = 0
    private var failures = 0
    /// Publishes that the engine has not confirmed.
    private(set) var unconfirmed = 0
    /// Those of them that were sent before the probe that is under way.
    private var beforeProbe = 0
    /// When reading goes on, which stopped for loops that do not keep up.
    private var pausedUntil: UInt64?

    init(_ loop: EngineLoop, _ purpose: LinkPurpose) {
        self.loop = loop
        self.purpose = purpose
        conversation = loop.options.language.makeConversation(for: purpose)
    }

    var isOpen: Bool { phase == .open }

    /// Whether the engine was given up for a while, and is not being tried.
    var isAway: Bool { if case .waiting = phase { true } else { false } }

    /// The connection, while the engine takes commands on it and has taken most of the last ones.
    var writable: ConnectionSlot? {
        guard phase == .open || phase == .restoring, let slot, Connection(slot).queuedByteCount < Self.queueLimit else {
            return nil
        }
        return slot
    }

    /// Bytes queued for the kernel, beyond which what is published waits in the outbox, where it is bounded.
    private static let queueLimit = 256 << 10
    /// Milliseconds that each phase before `open` may take, and that an open connection may be silent behind a probe.
    private static let patience: UInt64 = 5_000
    private static let probeInterval: UInt64 = 2_000

    // MARK: Connecting

    private func enter(_ phase: Phase) {
        self.phase = phase
        lastHeard = loop.now
    }

    func begin() {
        conversation = loop.options.language.makeConversation(for: purpose)
        let address = loop.options.address
        if let numeric = ConnectAddress(host: address.host, port: address.port) { return connect([numeric]) }
        enter(.resolving)
        lookups += 1
        let (executor, number) = (loop.eventLoop.executor, lookups)
        let bound = LoopBound(self, executor: executor)
        lookup = loop.options.resolver.resolve(address.host, port: address.port) { resolution in
            executor.execute { bound.use { $0.resolved(resolution, number) } }
        }
    }

    private func resolved(_ resolution: Resolution, _ number: Int) {
        guard phase == .resolving, number == lookups else { return }
        switch resolution {
        case .addresses(let addresses): connect(addresses)
        case .failed(let reason): lose("\(loop.options.address.host) was not found: \(reason)")
        }
    }

    private func connect(_ addresses: [ConnectAddress]) {
        candidates = addresses[...]
        tryNext("it has no addresses")
    }

    private func tryNext(_ failure: String) {
        guard let address = candidates.popFirst() else { return lose("cannot connect: \(failure)") }
        enter(.connecting)
        do {
            slot = try unsafe loop.eventLoop.connect(to: address, context: Unmanaged.passUnretained(self).toOpaque())
        } catch {
            tryNext(error.description)
        }
    }

    func connected(_ connection: Connection) {
        let address = loop.options.address
        if address.isSecure, loop.options.language.beginsWithTLS { return secure(connection) }
        greet(connection)
    }

    private func secure(_ connection: Connection) {
        enter(.securing)
        guard let client = loop.options.tls, connection.startTLS(client, hostname: loop.options.address.host) else {
            return lose("TLS cannot begin")
        }
    }

    func secured(_ connection: Connection) { greet(connection) }

    private func greet(_ connection: Connection) {
        enter(.greeting)
        send(conversation.greeting(), on: connection)
    }

    // MARK: Talking

    func received(_ bytes: UnsafeRawBufferPointer, on connection: Connection) {
        lastHeard = loop.now
        let current = slot
        do throws(EngineFailure) {
            try unsafe conversation.read(bytes) { news throws(EngineFailure) in
                // What was lost in the middle of what came says nothing more.
                guard slot == current else { return }
                try self.heard(news, on: connection)
            }
        } catch {
            lose(error.reason)
        }
    }

    private func heard(_ news: EngineNews, on connection: Connection) throws(EngineFailure) {
        switch news {
        case .ready:
            enter(.restoring)
            nextProbe = loop.now + Self.probeInterval
            loop.restore(self)
        case .answer(let bytes): send(bytes, on: connection)
        case .startTLS: secure(connection)
        case .message(let name, let envelope):
            if unsafe !loop.received(envelope, named: name, by: conversation) { pause(connection) }
        case .kept(let message, let position, let topic):
            if !loop.received(message, at: position, of: topic) { pause(connection) }
        case .following(let topic): loop.following(topic)
        case .remembered(let answer): try loop.remembered(answer)
        case .confirmed: unconfirmed = max(0, unconfirmed - 1)
        case .refused(let reason):
            unconfirmed = max(0, unconfirmed - 1)
            loop.refused(reason)
        case .probed: probed()
        }
    }

    private func probed() {
        if let probeTime, purpose.contains(.publishing) { loop.noteRoundTrip(from: probeTime) }
        probeTime = nil
        unconfirmed -= beforeProbe
        beforeProbe = 0
        if !loop.options.language.confirmsPublishes, unconfirmed > 0 { probe() }
        if phase == .restoring {
            enter(.open)
            failures = 0
            loop.linkChanged()
        }
    }

    /// Sends a probe: the engine answers it behind everything before.
    func probe() {
        guard let slot, probeTime == nil else { return }
        probeTime = loop.now
        if !loop.options.language.confirmsPublishes { beforeProbe = unconfirmed }
        nextProbe = loop.now + Self.probeInterval
        var bytes: [UInt8] = []
        conversation.appendProbe(into: &bytes)
        send(bytes, on: Connection(slot))
    }

    /// Sends commands, so many publishes among them.
    func publish(_ bytes: [UInt8], count: Int, on connection: Connection) {
        unconfirmed += count
        send(bytes, on: connection)
        if !loop.options.language.confirmsPublishes { probe() }
    }

    func send(_ bytes: [UInt8], on connection: Connection) {
        guard !bytes.isEmpty else { return }
        connection.send(unsafe bytes.span.bytes)
        connection.notifyWhenDrained()
    }

    /// Notes that the engine has taken most of what it was sent, which is a sign of life where it answers nothing.
    func noteProgress() { lastHeard = loop.now }

    private func pause(_ connection: Connection) {
        guard pausedUntil == nil else { return }
        connection.pauseReceiving()
        pausedUntil = loop.now + 2
        loop.eventLoop.wakeHandler(at: loop.now + 2)
    }

    // MARK: Ending

    /// Gives the connection up, and tries again after a while.
    func lose(_ reason: String) {
        abandon()
        let delay = loop.options.reconnect.delay(afterFailures: failures + 1, using: &loop.generator)
        failures += 1
        phase = .waiting(loop.now + max(1, delay.milliseconds))
        loop.lost(self, reason)
    }

    func closed(_ connection: Connection, _ reason: String) {
        guard slot == connection.slot else { return }
        slot = nil
        if phase == .connecting { return tryNext(reason) }
        lose("the connection was lost: \(reason)")
    }

    /// Closes the connection without hearing of it again. What the engine has not confirmed is lost, as far as anybody
    /// knows.
    func abandon() {
        loop.lost(unconfirmed)
        (unconfirmed, beforeProbe) = (0, 0)
        (probeTime, pausedUntil) = (nil, nil)
        lookup.take()?.cancel()
        guard let slot = slot.take() else { return }
        let connection = Connection(slot)
        unsafe connection.context = nil
        connection.abort()
    }

    /// Does what is due.
    /// - Returns: when to look again, in the loop's milliseconds.
    func tick() -> UInt64 {
        let now = loop.now
        if let time = pausedUntil, now >= time, let slot {
            pausedUntil = nil
            Connection(slot).resumeReceiving()
        }
        switch phase {
        case .waiting(let time):
            if now < time { return time }
            begin()
        case .open:
            if let probeTime, now >= max(probeTime, lastHeard) + Self.patience { lose("it has not answered for 5 s") }
            if isOpen, now >= nextProbe { probe() }
        case .connecting where now >= lastHeard + Self.patience:
            abandon()
            tryNext("it has not answered for 5 s")
        default:
            if now >= lastHeard + Self.patience { lose("it has not answered for 5 s") }
        }
        return min(pausedUntil ?? .max, now + 1_000)
    }
}
