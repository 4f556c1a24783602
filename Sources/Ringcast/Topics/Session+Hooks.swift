import PubSub
import Reactor
import WebSocketProtocol

extension Session {
    func unsubscribe(from topic: Topic) -> Bool {
        let table = loop.table
        settleFanOut()
        let standing = standing
        guard table.unsubscribe(memberships: &memberships, from: topic, standing: standing) else { return false }
        leavePresence(in: topic)
        stopResuming(topic)
        // A socket that is leaving has left already, which `leaveTopics` tells of.
        guard standing != .leaving else { return true }
        let count = table.changedCount
        reportSubscription(to: topic, before: count + 1, after: count)
        return true
    }

    /// Leaves all topics: the handler hears of it, the newest first.
    func endSubscriptions() {
        settleFanOut()
        loop.reportDepartures()
        loop.table.unsubscribeAll(memberships: &memberships, standing: .leaving)
    }

    /// Tells the handler of a change behind all earlier ones. Called after the change: the handler may make others.
    func reportSubscription(to topic: Topic, before: Int, after: Int) {
        loop.reportDepartures()
        callSubscription(topic, before: before, after: after)
    }

    func callSubscription(_ topic: Topic, before: Int, after: Int) {
        guard withKind({ $0.reportsSubscriptions }) else { return }
        do {
            try withHandlers { try $0.subscription(self, topic, before: before, after: after) }
        } catch { handlerFailed(error) }
    }
}

extension Session {
    /// Tells the handler of a message that was not queued. Whoever drops one in the middle of a fan-out notes it
    /// instead.
    func reportDrop(_ payload: UnsafeRawBufferPointer, as opcode: Opcode) {
        guard withKind({ $0.reportsDrops }), phase < .closed, !loop.isReportingDrop else { return }
        let loop = loop
        loop.isReportingDrop = true
        defer { loop.isReportingDrop = false }
        let bytes = unsafe payload.bytes
        var message = Message.binary(bytes)
        // `sendText` does not check that it is text.
        if opcode == .text, let text = try? UTF8Span(validating: Span<UInt8>(_bytes: bytes)) {
            message = .text(text)
        }
        do { try withHandlers { try $0.dropped(self, message) } } catch { handlerFailed(error) }
        // Settled while drops are not reported: a handler that answers drops by publishing would go on for ever, and
        // whoever settles a run would find another one behind it.
        loop.settleFanOut()
    }

    /// Tells the handler of a message that was not queued, by the frame that it would have been sent in.
    func reportDrop(_ frame: EncodedFrame) {
        guard !frame.isCompressed else { return reportDrop(deflated: frame) }
        unsafe reportDrop(frame.payload, as: frame.opcode)
    }

    /// Counts and notes the drop of a fan-out's frame that has found the queue at its limit.
    /// - Parameter policy: the topic's.
    func missedDelivery(_ policy: SlowConsumerPolicy = .dropNewest) {
        fallBehind()
        let counter: WritableKeyPath<LoopCounters, UInt64> =
            switch policy {
            case .dropNewest: \.dropsNewest
            case .dropOldest: \.dropsOldest
            case .latest: \.dropsLatest
            case .close: \.dropsClosing
            }
        _ = refusedAtLimit(counter)
        withKind { unsafe $0.counters.pointee.fanOutDrops += 1 }
        noteDrop(of: nil)
    }

    /// Remembers a drop until the fan-out is over: a handler that publishes in the middle of it would mix up the order.
    /// - Parameter frame: one that was evicted, or nil for that of the fan-out, which `nameDrops` fills in.
    func noteDrop(of frame: [UInt8]?) {
        guard withKind({ $0.reportsDrops }), !loop.isReportingDrop else { return }
        loop.noticedDrops.append(NoticedDrop(slot: slot, serial: serial, frame: frame))
    }
}

/// A drop that its socket's handler has not heard of yet.
struct NoticedDrop {
    let slot: UInt32
    let serial: UInt64
    var frame: [UInt8]?
}

extension SocketLoop {
    /// Tells the handlers what the fan-out of `frame`, which is over, has dropped. Costs a copy of the frame if it has
    /// dropped anything.
    func reportDrops(of frame: SharedBytes) {
        nameDrops(of: frame)
        reportNamedDrops()
    }

    /// Gives the drops that were noted without a frame that of the fan-out.
    func nameDrops(of frame: SharedBytes) {
        guard !noticedDrops.isEmpty else { return }
        let delivered = unsafe [UInt8](frame.bytes)
        for index in noticedDrops.indices where noticedDrops[index].frame == nil {
            noticedDrops[index].frame = delivered
        }
    }

    /// Runs `body` without reports of what it drops. What a `dropped` handler sends is handled so, on whichever loop:
    /// one that answers drops by publishing would keep two loops busy for ever.
    func quietly(_ body: () -> Void) {
        settleFanOut()
        let wasQuiet = isReportingDrop
        isReportingDrop = true
        defer { isReportingDrop = wasQuiet }
        body()
        settleFanOut()
    }

    func reportNamedDrops() {
        guard !keepsDropReports else { return }
        // What was published before these handlers run is none of theirs: its drops are reported, too.
        settleFanOut()
        let drops = noticedDrops
        noticedDrops = []
        for drop in drops {
            guard let frame = drop.frame, let session = sessions.find(slot: drop.slot, serial: drop.serial) else {
                continue
            }
            unsafe frame.withUnsafeBytes { session.reportDrop(unsafe EncodedFrame($0)) }
        }
    }
}
