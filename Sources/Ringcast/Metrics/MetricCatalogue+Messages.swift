import Reactor

extension MetricCatalogue {
    mutating func addMessages() {
        perLoop(.counter, "ringcast_messages_received_total", "Whole messages received, no control frames.") {
            .integer(Int($0.counters.messagesIn))
        }
        perLoop(.counter, "ringcast_messages_sent_total", "Messages queued for sockets, those of topics among them.") {
            .integer(Int($0.counters.messagesOut))
        }
        perLoop(.counter, "ringcast_received_bytes_total", "Bytes received, on connections of any kind.") {
            .integer($0.loop.bytesIn.value)
        }
        perLoop(.counter, "ringcast_sent_bytes_total", "Bytes that the kernel has taken, on connections of any kind.") {
            .integer($0.loop.bytesOut.value)
        }
        perLoop(.counter, "ringcast_publishes_total", "Messages published to topics.") {
            .integer(Int($0.counters.publishes))
        }
        perLoop(.counter, "ringcast_deliveries_total", "Messages of topics queued for subscribers.") {
            .integer(Int($0.counters.deliveries))
        }
        total(.counter, "ringcast_frames_encoded_total", "Frames encoded by publishes.") {
            Int($0.counters.framesEncoded)
        }
        total(.counter, "ringcast_frames_deflated_total", "Messages deflated.") { Int($0.counters.framesDeflated) }
        perKey(
            "ringcast_drops_total", "Messages dropped, once per socket, by the reason and the topic's policy.",
            of: DropKind.self, labels: { [.init("reason", $0.reason), .init("policy", $0.policy)] }
        ) { Int($1.count(in: $0.counters)) }
        perKey(
            "ringcast_resumptions_total", "Subscriptions that were to go on after a position, by what came of it.",
            of: ResumptionResult.self, labels: { [.init("result", $0.label)] }
        ) { $0.events.resumptions[$1] }
        total(.counter, "ringcast_presence_refused_total", "Subscriptions as somebody who is not listed: no room.") {
            $0.events.refusedPresences.value
        }
        total(.counter, "ringcast_backpressure_events_total", "Times that a socket fell behind.") {
            Int($0.counters.backpressureEvents)
        }
    }

    mutating func addLoops() {
        perLoop(.histogram, "ringcast_loop_turn_seconds", "Time of a loop's turns, without their waits.") {
            .histogram(.init($0.loop.turnTimes, perUnit: 1e9))
        }
        perLoop(
            .histogram, "ringcast_loop_busy_ratio",
            "Share of the time that a loop's thread was on a processor, one value for each second."
        ) { .histogram(.init($0.loop.busyShares, perUnit: 1e6)) }
        perLoop(.counter, "ringcast_loop_cpu_seconds_total", "Processor time of a loop's thread.") {
            .number(Double($0.loop.processorNanoseconds.value) / 1e9)
        }
        perLoop(.counter, "ringcast_send_operations_total", "Operations that sent something.") {
            .integer($0.loop.sendSubmissions.value)
        }
        perLoop(.gauge, "ringcast_mailbox_depth", "Messages of other loops and threads that wait.") {
            .integer($0.mailboxDepth)
        }
    }
}

/// Why a message was dropped, and by whose policy.
private enum DropKind: CaseIterable, Sendable {
    case direct, newest, oldest, latest, closing, evicted, superseded, closed, laneFull

    var reason: String {
        switch self {
        case .direct, .newest, .oldest, .latest, .closing: "limit"
        case .evicted: "evicted"
        case .superseded: "superseded"
        case .closed: "closed"
        case .laneFull: "lane_full"
        }
    }

    var policy: String {
        switch self {
        case .direct, .closed, .laneFull: "none"
        case .newest: "drop_newest"
        case .oldest, .evicted: "drop_oldest"
        case .latest, .superseded: "latest"
        case .closing: "close"
        }
    }

    func count(in counters: LoopCounters) -> UInt64 {
        switch self {
        case .direct: counters.dropsDirect
        case .newest: counters.dropsNewest
        case .oldest: counters.dropsOldest
        case .latest: counters.dropsLatest
        case .closing: counters.dropsClosing
        case .evicted: counters.dropsEvicted
        case .superseded: counters.dropsSuperseded
        case .closed: counters.dropsClosed
        case .laneFull: counters.dropsInLanes
        }
    }
}

extension MetricFamily.Histogram {
    /// - Parameter parts: what the loop counts in: so many make the metric's unit.
    init(_ histogram: LoopHistogram, perUnit parts: Double) {
        let reading = histogram.reading
        self.init(
            bounds: histogram.bounds.map { Double($0) / parts }, counts: reading.counts,
            sum: Double(reading.sum) / parts)
    }
}
