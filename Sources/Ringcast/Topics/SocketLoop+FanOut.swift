import PubSub
import Reactor

/// The walk over a topic's subscribers on this loop. Every way of a publish ends here:
///
///     published here                       distribute ─┐
///     published elsewhere, numbered here   order ──────┼─▶ fanOut ─▶ Session.queue
///     published elsewhere                  arrived ────┘
///
/// Topics without a policy that evicts or closes gather what is published in a row: `SocketLoop+FanOutRun.swift`.
extension SocketLoop {
    /// Queues a reference to the frame, which lies in the loop's shared log, for each subscriber here.
    func fanOut(_ frame: SharedBytes, to entry: TopicEntry, except excluded: SubscriptionTable.Subscriber?) -> Reach {
        guard SlowConsumerPolicy(word: entry.policy) == .dropNewest else {
            return unsafe hand(frame, of: entry, except: excluded) { unsafe table.forEachSubscriber(of: entry, $0) }
        }
        return unsafe joinRun(frame, to: entry, except: excluded)
    }

    /// Fans out a frame that was encoded for several loops: in each form that is wanted here, or as it is.
    func fanOut(_ frame: SharedFrame, to entry: TopicEntry, except excluded: SubscriptionTable.Subscriber?) -> Reach {
        if frame.hasVariants, entry.variants(of: eventLoop.index) != 0 {
            var forms = forms(of: frame, in: entry)
            return unsafe fanOut(&forms, to: entry, except: excluded)
        }
        if let renditions = renditions(of: frame, in: entry) {
            // Frames of a run do not know their positions.
            return unsafe hand(eventLoop.share(frame.encoded), of: entry, except: excluded, making: renditions) {
                unsafe table.forEachSubscriber(of: entry, $0)
            }
        }
        return unsafe fanOut(eventLoop.share(frame.encoded), to: entry, except: excluded)
    }

    /// The forms of a frame, with what streams of events get of it.
    func forms(of frame: SharedFrame, in entry: TopicEntry) -> FrameForms {
        var forms = FrameForms(of: frame, on: self)
        forms.renditions[FrameForm.plain] = renditions(of: frame, in: entry)
        return forms
    }

    /// What is to be made of a frame whose position streams of events say; nil where the topic has no history, or the
    /// loop no such stream.
    private func renditions(of frame: SharedFrame, in entry: TopicEntry) -> FrameRenditions? {
        guard eventStreamCount > 0, let history = entry.history else { return nil }
        return FrameRenditions(position: history.position(ofStamp: frame.stamp))
    }

    /// Fans out to subscribers some of whom have agreed on compression: a message is deflated once for every class of
    /// windows, without context, so that all of the class get the same bytes.
    func fanOut(
        _ forms: inout FrameForms, to entry: TopicEntry, except excluded: SubscriptionTable.Subscriber?
    ) -> Reach {
        settleFanOut()
        countFanOut(of: entry)
        let drops = unsafe counters.pointee.fanOutDrops
        var tally = FanOutTally()
        let policy = SlowConsumerPolicy(word: entry.policy)
        unsafe table.forEachSubscriber(of: entry) { subscriber in
            guard unsafe subscriber != excluded else { return }
            tally.hand(&forms, of: entry, policy, to: unsafe Session(subscriber: subscriber))
        }
        count(tally, of: entry, dropsBefore: drops)
        if !noticedDrops.isEmpty { reportDrops(of: forms[FrameForm.plain]) }
        return tally.reach
    }

    /// Fans out a frame that another loop or thread has published.
    func arrived(_ frame: SharedFrame, except publisher: Publisher?) {
        guard let entry = frame.topic else { preconditionFailure("a frame without a topic was published") }
        let excluded = unsafe subscriber(publisher)
        if table.isForAll(entry, stamp: frame.stamp) {
            _ = unsafe fanOut(frame, to: entry, except: excluded)
        } else {
            // Some got a newer retained message when they subscribed, and must not get this one.
            let renditions = renditions(of: frame, in: entry)
            _ = unsafe hand(eventLoop.share(frame.encoded), of: entry, except: excluded, making: renditions) {
                unsafe table.subscribers(of: entry, stamp: frame.stamp).forEach($0)
            }
        }
    }

    /// Hands one frame to the subscribers that `visit` goes through, each as the topic's policy says.
    private func hand(
        _ frame: SharedBytes, of entry: TopicEntry, except excluded: SubscriptionTable.Subscriber?,
        making renditions: FrameRenditions? = nil, _ visit: ((SubscriptionTable.Subscriber) -> Void) -> Void
    ) -> Reach {
        // Settling runs handlers, which may fill the log.
        eventLoop.keep(frame)
        defer { eventLoop.release(frame) }
        settleFanOut()
        countFanOut(of: entry)
        let drops = unsafe counters.pointee.fanOutDrops
        let policy = SlowConsumerPolicy(word: entry.policy)
        var tally = FanOutTally()
        var renditions = renditions
        unsafe visit { subscriber in
            guard unsafe subscriber != excluded else { return }
            tally.hand(frame, of: entry, policy, to: unsafe Session(subscriber: subscriber), making: &renditions)
        }
        count(tally, of: entry, dropsBefore: drops)
        if !noticedDrops.isEmpty { reportDrops(of: frame) }
        return tally.reach
    }
}
