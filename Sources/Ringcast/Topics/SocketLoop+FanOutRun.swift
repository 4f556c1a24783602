import PubSub
import Reactor

/// Frames of one topic that lie behind each other in the loop's shared log and are still to be handed to its
/// subscribers here.
///
/// Walking over the subscribers is nearly all that a publish costs this process, so what is published in a row is
/// handed over in one walk: the burst of a publisher, or a turn of a chat. Whatever could tell the difference settles
/// the run first: anything else that is queued for a socket, a change of subscriptions, the end of the turn.
@safe struct FanOutRun {
    let entry: TopicEntry
    /// The publisher, unless it gets its own messages.
    let excluded: SubscriptionTable.Subscriber?
    fileprivate(set) var bytes: SharedBytes
    /// Where each frame ends in `bytes`.
    fileprivate(set) var ends: [Int]

    fileprivate var lastFrameByteCount: Int { ends[ends.count - 1] - (ends.count > 1 ? ends[ends.count - 2] : 0) }
}

extension SocketLoop {
    /// Adds a frame to the run if it continues it; else settles the run and begins a new one.
    ///
    /// For topics whose policy is `dropNewest`. The result is true now, although the walk comes later: whether some
    /// subscriber has room for the frame is looked up, how many are behind is counted.
    func joinRun(
        _ frame: SharedBytes, to entry: TopicEntry, except excluded: SubscriptionTable.Subscriber?
    ) -> Reach {
        if run?.entry === entry, unsafe run?.excluded == excluded, let bytes = run?.bytes.continued(by: frame) {
            run?.bytes = bytes
            run?.ends.append(bytes.count)
        } else {
            // Kept first: handlers of what the last run drops may publish, and so fill the log.
            eventLoop.keep(frame)
            settleFanOut()
            spareEnds.append(frame.count)
            unsafe run = FanOutRun(entry: entry, excluded: excluded, bytes: frame, ends: spareEnds)
            spareEnds = []
        }
        unsafe counters.pointee.unsettledFrames += 1
        countFanOut(of: entry)
        return unsafe (hasReceiver(of: entry, except: excluded) ? 1 : 0, behindCount(of: entry, except: excluded))
    }

    /// Whether some subscriber takes the last frame of the run. The first one asked nearly always does; one that does
    /// not costs as much again when the frame is dropped there.
    private func hasReceiver(of entry: TopicEntry, except excluded: SubscriptionTable.Subscriber?) -> Bool {
        guard let run else { return false }
        let (before, frames) = (run.bytes.count - run.lastFrameByteCount, run.ends.count - 1)
        return unsafe table.newestSubscriber(of: entry) { subscriber in
            guard unsafe subscriber != excluded else { return false }
            return unsafe Session(subscriber: subscriber).hasRoom(behind: before, in: frames)
        } != nil
    }

    /// The subscribers here that are behind, without the publisher.
    func behindCount(of entry: TopicEntry, except excluded: SubscriptionTable.Subscriber?) -> Int {
        let count = table.behindCount(of: entry)
        guard count > 0, let excluded = unsafe excluded else { return count }
        let publisher = unsafe Session(subscriber: excluded)
        guard publisher.standing == .behind, table.isSubscribed(publisher.memberships, to: entry.topic) else {
            return count
        }
        return count - 1
    }

    /// Hands the run, if there is one, to its subscribers.
    func settleFanOut() {
        guard var settled = run else { return }
        run = nil
        unsafe counters.pointee.unsettledFrames = 0
        walk(settled)
        eventLoop.release(settled.bytes)
        settled.ends.removeAll(keepingCapacity: true)
        spareEnds = settled.ends
    }

    /// Queues one reference to all of the run's frames for each subscriber.
    private func walk(_ run: FanOutRun) {
        var tally = FanOutTally(frames: run.ends.count)
        var slow: [Session] = []
        let drops = unsafe counters.pointee.fanOutDrops
        // A frame is dropped if the limit is queued before it: all are accepted if the last one is.
        let beforeLast = run.bytes.count - run.lastFrameByteCount
        unsafe table.forEachSubscriber(of: run.entry) { subscriber in
            guard unsafe subscriber != run.excluded else { return }
            let session = unsafe Session(subscriber: subscriber)
            let result = session.queue(run.bytes, roomBefore: beforeLast)
            tally.note(result)
            if result == .atLimit { slow.append(session) }
        }
        count(tally, of: run.entry, dropsBefore: drops)
        if !slow.isEmpty { handOneByOne(run, to: slow) }
    }

    /// Hands a run frame by frame to subscribers that may not take all of it. Their handlers hear of what was dropped
    /// when that is done, since what they publish comes behind it.
    private func handOneByOne(_ run: FanOutRun, to sessions: [Session]) {
        let policy = SlowConsumerPolicy(word: run.entry.policy)
        var start = 0
        for end in run.ends {
            let frame = run.bytes.extracting(start..<end)
            var renditions: FrameRenditions?
            let drops = unsafe counters.pointee.fanOutDrops
            var tally = FanOutTally()
            for session in sessions { tally.hand(frame, of: run.entry, policy, to: session, making: &renditions) }
            count(tally, of: run.entry, dropsBefore: drops)
            nameDrops(of: frame)
            start = end
        }
        reportNamedDrops()
    }
}

extension Session {
    /// Hands out the loop's run. Called before anything else is queued, to keep the order.
    @inline(__always)
    func settleFanOut() {
        withKind { unsafe $0.counters.pointee.unsettledFrames > 0 ? $0.loop.settleFanOut() : () }
    }

    /// Whether the socket takes a frame that comes behind so many bytes in so many frames.
    func hasRoom(behind byteCount: Int, in frames: Int) -> Bool {
        guard isOpen, !connection.isClosing else { return false }
        let masks = traits.contains(.masks) ? 4 * frames : 0
        return queuedMemory + byteCount + masks < withKind { $0.backpressureLimit }
    }

    /// Queues frames of a topic, all or none; `atLimit` says that they have to be handed over one by one.
    /// - Parameter byteCount: bytes of the frames before the last one, which has to find room behind them.
    @inline(__always)
    func queue(_ frames: SharedBytes, roomBefore byteCount: Int) -> DeliveryResult {
        guard !flags.contains(.backlogged), traits.isDisjoint(with: .rewrites) else { return .atLimit }
        guard isOpen else { return .closed }
        let limit = withKind { $0.backpressureLimit } - byteCount
        return unsafe state.pointee.connection.queueShared(frames, limit: limit)
    }
}
