import PubSub
import Reactor
import WebSocketProtocol

/// Slow consumers. What a topic's policy may evict must not be in the send queue, which the kernel may be reading: once
/// a socket is behind, everything for it waits in a `Backlog`, and moves into the send queue as that runs empty.
/// Sockets that keep up, and topics whose policy evicts nothing, never come here.
extension Session {
    /// Bytes accepted to be sent and not yet taken by the kernel.
    var queuedByteCount: Int {
        let queued = connection.queuedByteCount
        guard flags.contains(.backlogged) else { return queued }
        return queued + (extras?.backlog?.byteCount ?? 0)
    }

    /// What the queued bytes cost in memory, which is compared with `backpressureLimit`.
    var queuedMemory: Int {
        let queued = connection.queuedByteCount
        guard flags.contains(.backlogged) else { return queued }
        return queued + (extras?.backlog?.memory ?? 0)
    }

    /// Whether a topic's frame cannot simply go into the send queue.
    /// - Parameter isGoverned: whether the topic's policy is another one than `dropNewest`.
    @inline(__always)
    func needsPolicy(isGoverned: Bool) -> Bool {
        if flags.contains(.backlogged) || !traits.isDisjoint(with: .rewrites) { return true }
        return isGoverned && isSlow
    }

    /// Whether bytes are left from an earlier flush, or as many wait as one is to take: what comes on top of them waits
    /// in the backlog, where it can still be evicted.
    private var isSlow: Bool {
        connection.isBlocked
            || connection.queuedByteCount >= min(withKind { $0.backpressureLimit }, Self.corkWatermark)
    }

    /// Queues a topic's frame as its policy says, and counts what becomes of it.
    /// - Parameter renditions: what is made of the frame for the first socket that needs it: an event, or a copy for a
    ///   backlog.
    @inline(never)
    func queue(
        _ frame: SharedBytes, making renditions: inout FrameRenditions?, policy: SlowConsumerPolicy,
        of topic: TopicEntry
    ) -> DeliveryResult {
        let counters = unsafe withKind { unsafe $0.counters }
        guard isOpen, !connection.isClosing else {
            unsafe counters.pointee.dropsClosed += 1
            return .closed
        }
        let isEvent = traits.contains(.events)
        let frame = isEvent ? FrameRenditions.made(&renditions).event(of: frame, on: loop) : frame
        guard makeRoom(for: frame.count, policy: policy, topic: topic) else {
            if case .close(let code) = policy, !withKind({ $0.closeOnBackpressureLimit }) {
                close(code, reason: "slow consumer", isOwn: true)
            }
            missedDelivery(policy)
            return .atLimit
        }
        let result: DeliveryResult = standing == .behind ? .queuedBehind : .queued
        guard flags.contains(.backlogged) || policy.evicts && (isSlow || traits.isDisjoint(with: .rewrites)) else {
            if traits.contains(.masks) {
                unsafe connection.send(OutgoingFrame(EncodedFrame(frame.bytes), mask: nextMask()))
            } else {
                _ = unsafe state.pointee.connection.queueShared(frame, limit: .max)
            }
            unsafe counters.pointee.deliveries += 1
            unsafe counters.pointee.messagesOut += 1
            return result
        }
        let bytes = FrameRenditions.made(&renditions).copy(of: frame, isEvent: isEvent)
        switch policy {
        case .dropNewest, .close: addToBacklog(bytes, .topic)
        case .dropOldest: addToBacklog(bytes, .oldest)
        case .latest: addToBacklog(bytes, .latest(topic.topic))
        }
        return result
    }

    /// Whether a topic's frame of so many bytes may be queued; evicts what its policy gives up for it.
    ///
    /// The frame may be queued if less than the limit is, or if it is no larger than what went for it: the bound stays
    /// the limit and one message. A socket that is not behind keeps everything until the limit is reached.
    private func makeRoom(for count: Int, policy: SlowConsumerPolicy, topic: TopicEntry) -> Bool {
        let (limit, closes) = withKind { ($0.backpressureLimit, $0.closeOnBackpressureLimit) }
        if queuedMemory >= limit { fallBehind() }
        let queued = queuedMemory
        guard queued < limit || !closes, let extras, extras.backlog != nil else { return queued < limit }
        let counters = unsafe withKind { unsafe $0.counters }
        switch policy {
        case .dropNewest, .close: return queued < limit
        case .latest:
            guard standing == .behind, let older = extras.backlog?.latestByteCount(of: topic.topic) else {
                return queued < limit
            }
            guard queued - older - Backlog.entryCost < limit || count <= older else { return false }
            if let frame = extras.backlog?.evictLatest(of: topic.topic) { noteDrop(of: frame) }
            unsafe counters.pointee.dropsSuperseded += 1
            unsafe counters.pointee.fanOutDrops += 1
            return true
        case .dropOldest:
            var evicted = 0
            let needed = count + Backlog.entryCost
            while queued - evicted >= limit, evicted < needed, let frame = extras.backlog?.evictOldest() {
                evicted += frame.count + Backlog.entryCost
                noteDrop(of: frame)
                unsafe counters.pointee.dropsEvicted += 1
                unsafe counters.pointee.fanOutDrops += 1
            }
            return queued - evicted < limit || evicted >= needed
        }
    }

    /// Drops all but the newest message of each topic whose policy is `latest`, since the socket has fallen behind.
    func supersedeBacklog() {
        guard flags.contains(.backlogged), let extras, let frames = extras.backlog?.evictSuperseded() else { return }
        withKind { unsafe $0.counters.pointee.dropsSuperseded += UInt64(frames.count) }
        for frame in frames { noteDrop(of: frame) }
    }

    /// Puts a frame behind everything else.
    func addToBacklog(_ frame: [UInt8], _ kind: Backlog.Kind) {
        let extras = makeExtras()
        if extras.backlog == nil { extras.backlog = Backlog() }
        extras.backlog?.append(frame, kind)
        flags.insert(.backlogged)
        connection.notifyWhenDrained()
    }

    /// Moves whole frames from the backlog to the send queue until so many bytes are there.
    func advanceBacklog(upTo byteCount: Int = Self.corkWatermark) {
        guard flags.contains(.backlogged), let extras, !connection.isClosing else { return }
        let connection = connection
        var deliveries: UInt64 = 0
        while connection.queuedByteCount < byteCount, let entry = extras.backlog?.popFirst() {
            // Frames are masked here and not before: reports of drops read those that wait.
            unsafe entry.bytes.withUnsafeBytes { write(unsafe EncodedFrame($0)) }
            if entry.kind.isTopicFrame { deliveries += 1 }
        }
        withKind {
            unsafe $0.counters.pointee.deliveries += deliveries
            unsafe $0.counters.pointee.messagesOut += deliveries
        }
        if extras.backlog?.isEmpty ?? true {
            extras.backlog = nil
            flags.remove(.backlogged)
        }
        connection.notifyWhenDrained()
    }

    /// Counts the frames that are lost with the backlog of a socket that has ended.
    func dropBacklog() {
        guard flags.contains(.backlogged), let backlog = extras?.backlog else { return }
        withKind { unsafe $0.counters.pointee.dropsClosed += UInt64(backlog.topicFrameCount) }
    }
}
