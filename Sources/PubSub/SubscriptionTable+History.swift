/// The receiving end of histories; `TopicRegistry+History.swift` says why nobody misses a message or gets one twice.
extension SubscriptionTable {
    /// What a new subscriber of a topic with history is to get first.
    package struct Replay {
        package let resumption: Resumption
        /// Whether nothing is to be had yet: who named a position waits for `resume`, and who did not may have to get
        /// what the topic retains when that is known.
        package let isWaiting: Bool
        /// Behind which the subscription goes on when the frames are handed over.
        package let position: Position
        /// The messages behind the position, oldest first, with an ownership of each.
        package let frames: [SharedFrame]
        /// For who does not go on after a position: what the topic retains.
        package let retained: [UInt8]?
    }

    /// What the topic just subscribed to has behind a position; nil where it has no history. Called once, right after
    /// `subscribe` returned `added`. Where a shared history has to be asked for first, a subscriber with a position
    /// gets nothing of the topic until `resume` was called.
    /// - Parameter now: the loop's time in milliseconds.
    package func takeReplay(by list: MembershipList, after position: Position?, now: UInt64) -> Replay? {
        replay(memberships[list.head], after: position, now: now, isFinal: false)
    }

    /// What a subscriber that waits gets now that its topic's history has been asked for; nil if it waits no more.
    /// - Parameter isFinal: whether the answer is all that there is: what is not kept here is gone.
    package func resume(
        _ list: MembershipList, in topic: Topic, after position: Position, now: UInt64, isFinal: Bool
    ) -> Replay? {
        guard let index = membership(in: list, of: topic) else { return nil }
        let membership = memberships[index]
        guard self[Int(membership.topic)].isMuted(at: Int(membership.position)) else { return nil }
        return replay(membership, after: position, now: now, isFinal: isFinal)
    }

    private func replay(_ membership: Membership, after position: Position?, now: UInt64, isFinal: Bool) -> Replay? {
        let topic = self[Int(membership.topic)]
        guard let history = topic.entry.history else { return nil }
        history.noteUse(now)
        return history.withKept { kept in
            let wasEmpty = kept.count == 0
            kept.dropOld(history.rule, now: now)
            registry.settleUse(of: topic.entry, wasEmpty: wasEmpty, kept)
            let resumption = kept.resumption(after: position, isFinal: isFinal)
            let place = Position(epoch: kept.numbering.epoch, offset: kept.last)
            guard kept.numbering.isKnown, resumption != .resuming else {
                // Who begins with what comes gets all that comes: it comes when the numbering is known.
                if position != nil { topic.mute(at: Int(membership.position)) }
                return Replay(
                    resumption: resumption, isWaiting: true, position: place, frames: [], retained: nil)
            }
            // As many as were handed out before: what is read here is not to come once more.
            topic.setFloor(topic.entry.retainedCount, at: Int(membership.position))
            guard case .resumed = resumption, let position else {
                return Replay(
                    resumption: resumption, isWaiting: false, position: place, frames: [],
                    retained: topic.entry.withRetained { $0 })
            }
            let frames = kept.frames(after: kept.numbering.offset(of: position) ?? kept.last)
            return Replay(
                resumption: resumption, isWaiting: false, position: place, frames: frames, retained: nil)
        }
    }
}

extension KeptFrames {
    fileprivate func resumption(after position: Position?, isFinal: Bool) -> Resumption {
        guard let position else { return .new }
        guard numbering.isKnown else { return .resuming }
        let missing: Resumption = isFinal || !isShared ? .gap : .resuming
        if position == .oldest { return isWhole || isFinal ? .resumed(count) : .resuming }
        // A peer may name any position: one that is not reached yet is none of this numbering, as far as is known here.
        guard let offset = numbering.offset(of: position), offset <= last else { return missing }
        guard offset + 1 >= first else { return isWhole ? .gap : missing }
        return .resumed(Int(last - offset))
    }
}

extension TopicHistory {
    /// The position of the newest message, or the one before the first; nil while a shared history is not known. Any
    /// thread.
    package var position: Position? {
        withKept { $0.numbering.isKnown ? Position(epoch: $0.numbering.epoch, offset: $0.last) : nil }
    }

    /// What somebody who goes on behind a position would get now.
    package func canResume(after position: Position) -> Bool {
        withKept { $0.numbering.isKnown && $0.resumption(after: position, isFinal: false) != .resuming }
    }

    /// The messages that are kept behind a position, oldest first, with an ownership of each frame, and the offset of
    /// the first; all that is kept if the position is of another numbering.
    /// - Parameter now: in milliseconds; nil if the topic's last use is to stand for it.
    package func frames(after position: Position, now: UInt64?) -> (first: UInt64, frames: [SharedFrame]) {
        withKept { kept in
            let old = UInt64(kept.oldCount(rule, now: now ?? usedLast))
            let offset = min(kept.numbering.offset(of: position) ?? 0, kept.last)
            let frames = kept.frames(after: max(offset, kept.first - 1 + old))
            return (kept.last - UInt64(frames.count) + 1, frames)
        }
    }
}
