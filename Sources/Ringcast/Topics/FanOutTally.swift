import PubSub
import Reactor

/// What has become of one frame, or of all frames of a `FanOutRun`, at a topic's subscribers. It counts subscribers,
/// not frames: a walk adds one number for each.
struct FanOutTally {
    private let frames: Int
    private var queued = 0
    private var queuedBehind = 0
    private var refused = 0
    private var closed = 0
    /// Subscribers whose frames `Session.queue(_:making:policy:of:)` has counted.
    private var counted: SocketLoop.Reach = (0, 0)
    /// Those among them that are behind, and have the frame in their queue.
    private var countedBehind = 0

    init(frames: Int = 1) { self.frames = frames }

    @inline(__always)
    mutating func note(_ result: DeliveryResult) {
        switch result {
        case .queued: queued += 1
        case .queuedBehind: queuedBehind += 1
        case .atLimit: refused += 1
        case .closed: closed += 1
        }
    }

    /// Queues one frame for one subscriber, as the topic's policy says, and notes the result.
    /// - Parameter renditions: what is made of the frame for the first subscriber that needs it.
    @inline(__always)
    mutating func hand(
        _ frame: SharedBytes, of entry: TopicEntry, _ policy: SlowConsumerPolicy, to session: Session,
        making renditions: inout FrameRenditions?
    ) {
        guard session.needsPolicy(isGoverned: policy != .dropNewest) else { return note(session.queue(frame)) }
        let result = session.queue(frame, making: &renditions, policy: policy, of: entry)
        if result == .queued || result == .queuedBehind { counted.count += 1 }
        if result == .queuedBehind || result == .atLimit { counted.blocked += 1 }
        if result == .queuedBehind { countedBehind += 1 }
    }

    /// Queues one frame for one subscriber, in the form that it reads.
    @inline(__always)
    mutating func hand(
        _ forms: inout FrameForms, of entry: TopicEntry, _ policy: SlowConsumerPolicy, to session: Session
    ) {
        let form = session.form
        let frame = forms[form]
        if session.traits.contains(.keepsContext), forms.isDeflated(form) { session.forgetOutgoingContext() }
        hand(frame, of: entry, policy, to: session, making: &forms.renditions[form])
    }

    /// The subscribers that got the frames, and those that are behind, with or without them.
    var reach: SocketLoop.Reach {
        (queued + queuedBehind + counted.count, queuedBehind + refused + counted.blocked)
    }

    /// Frames queued. Those at the limit are counted where they are dropped.
    var deliveries: Int { (queued + queuedBehind) * frames }
    /// Frames queued for subscribers that are behind.
    var late: Int { (queuedBehind + countedBehind) * frames }
    /// Frames for sockets that are closing.
    var missed: Int { closed * frames }
}

extension SocketLoop {
    /// Counts what has become of a topic's frames.
    /// - Parameter drops: the drops of fan-outs before this one.
    func count(_ tally: FanOutTally, of entry: TopicEntry, dropsBefore drops: UInt64) {
        unsafe counters.pointee.dropsClosed += UInt64(tally.missed)
        unsafe counters.pointee.deliveries += UInt64(tally.deliveries)
        unsafe counters.pointee.messagesOut += UInt64(tally.deliveries)
        let dropped = unsafe counters.pointee.fanOutDrops - drops
        if tally.late > 0 || dropped > 0 { noteLateness(tally.late, dropped: Int(dropped), of: entry) }
    }
}
