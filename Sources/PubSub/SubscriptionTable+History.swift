/// The receiving end of histories; `TopicRegistry+History.swift` says why nobody misses a message or gets one twice.
extension SubscriptionTable {
    /// What a new subscriber of a topic with history is to get first.
    package struct Replay {
        package let resumption: Resumption
        /// The messages behind the position, oldest first, with an ownership of each.
        package let frames: [SharedFrame]
        /// For who does not go on after a position: what the topic retains.
        package let retained: [UInt8]?
    }

    /// What the topic just subscribed to has behind a position; nil where it has no history. Called once, right after
    /// `subscribe` returned `added`.
    /// - Parameter now: the loop's time in milliseconds.
    package func takeReplay(by list: MembershipList, after position: Position?, now: UInt64) -> Replay? {
        let membership = memberships[list.head]
        let topic = self[Int(membership.topic)]
        guard let history = topic.entry.history else { return nil }
        history.noteUse(now)
        return history.withKept { kept in
            let wasEmpty = kept.count == 0
            kept.dropOld(history.rule, now: now)
            registry.settleUse(of: topic.entry, wasEmpty: wasEmpty, kept)
            topic.setFloor(kept.last, at: Int(membership.position))
            let resumption = history.resumption(after: position, kept)
            guard case .resumed = resumption, let position else {
                return Replay(resumption: resumption, frames: [], retained: topic.entry.withRetained { $0 })
            }
            let offset = position == .oldest ? 0 : position.offset
            return Replay(resumption: resumption, frames: kept.frames(after: offset), retained: nil)
        }
    }
}

extension TopicHistory {
    fileprivate func resumption(after position: Position?, _ kept: borrowing KeptFrames) -> Resumption {
        guard let position else { return .new }
        if position == .oldest { return .resumed(kept.count) }
        // A peer may name any position: one that is not reached yet is none of this numbering.
        guard position.epoch == epoch, position.offset <= kept.last, position.offset + 1 >= kept.first else {
            return .gap
        }
        return .resumed(Int(kept.last - position.offset))
    }

    /// The position of the newest message, or the one before the first. Any thread.
    package var position: Position { Position(epoch: epoch, offset: withKept { $0.last }) }

    /// The messages that are kept behind a position, oldest first, with an ownership of each frame, and the offset of
    /// the first; all that is kept if the position is of another numbering.
    /// - Parameter now: in milliseconds; nil if the topic's last use is to stand for it.
    package func frames(after position: Position, now: UInt64?) -> (first: UInt64, frames: [SharedFrame]) {
        withKept { kept in
            let old = UInt64(kept.oldCount(rule, now: now ?? usedLast))
            let offset = position.epoch == epoch ? min(position.offset, kept.last) : 0
            let frames = kept.frames(after: max(offset, kept.first - 1 + old))
            return (kept.last - UInt64(frames.count) + 1, frames)
        }
    }
}
