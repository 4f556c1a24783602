import PubSub
import Reactor

/// A topic whose history the engine keeps, at its home loop:
///
///     published here ─▶ engine, which numbers it ─▶ all nodes with subscribers, this one too
///     from the engine ─▶ home loop ─▶ subscribers
///
/// The home loop hands a message on if it is the next one. If some are missing it reads these first: after a lost
/// connection, or when the engine has begun to send the topic a moment too late. What the engine has no more is a gap,
/// and told. A subscriber whose position is older than what is kept here waits until older messages were read; whoever
/// comes after it finds them here. The steps of a read are in `SocketLoop+HistoryPage.swift`.
extension SocketLoop {
    /// The topic's feed, made if need be; nil while nobody on this node is subscribed to the topic.
    func feed(of topic: Topic) -> HistoryFeed? {
        let start = core.cluster?.node.interest.start(of: topic)
        if let feed = feeds[topic] {
            if feed.start == start { return feed }
            feeds[topic] = nil
            core.registry.relinquish(feed.entry)
        }
        guard let start else {
            // A message may have been kept while the interest ended.
            core.registry.forgetNumbering(of: topic)
            return nil
        }
        let entry = core.registry.entry(for: topic)
        guard let history = entry.history, history.rule.isShared else {
            core.registry.relinquish(entry)
            return nil
        }
        let feed = HistoryFeed(entry, history, start: start)
        feeds[topic] = feed
        return feed
    }

    /// The engine has begun to send a topic: what was appended before is read.
    func followed(_ topic: Topic) {
        if let feed = feed(of: topic) { ask(feed) }
    }

    /// Takes a message that the engine has sent.
    func arrived(_ message: [UInt8], at position: Position, of topic: Topic) {
        // Who does not know yet where the topic is reads what comes now.
        guard let feed = feeds[topic], feed.history.state.numbering.isKnown else { return }
        if feed.held.isEmpty {
            switch feed.place(of: position) {
            case .next: return deliver(message, at: position, age: .zero, feed)
            case .old: return
            case .ahead: break
            }
        }
        if feed.hold(.init(position: position, message: message, ticket: lastTicket)) {
            if feed.asked == nil { ask(feed) }
        } else {
            feed.mustAsk = true
        }
    }

    /// Has a subscriber wait for what it has missed.
    func wait(_ key: HistoryFeed.WaiterKey, _ waiter: HistoryFeed.Waiter, for topic: Topic) {
        guard let feed = feed(of: topic) else { return }
        if feed.history.canResume(after: waiter.position) { return serve(key, feed, isFinal: false) }
        feed.waiters[key] = waiter
        ask(feed)
    }

    /// Has a subscriber's loop hand over what is kept, behind all that went to it before.
    func serve(_ waiter: HistoryFeed.WaiterKey, _ feed: HistoryFeed, isFinal: Bool) {
        let topic = feed.entry.topic
        let job = LoopJob { loop in
            guard let loop, let session = loop.sessions.find(slot: waiter.slot, serial: waiter.serial) else { return }
            session.resume(topic, waiter.id, isFinal: isFinal)
        }
        core.run(job, on: waiter.loop)
    }

    /// Numbers a message as the engine has, keeps it and hands it to all subscribers here.
    func deliver(_ bytes: [UInt8], at position: Position, age: Duration, _ feed: HistoryFeed) {
        let (entry, history) = (feed.entry, feed.history)
        if history.state.numbering.epoch == 0 {
            core.registry.begin(position.epoch, earlier: [], behind: 0, in: entry)
            core.registry.noteOldest(1, in: entry)
        }
        guard let message = SharedMessage(bytes) else {
            // Nobody of ours has appended it.
            let earlier = history.state.numbering.earlier
            return core.registry.begin(position.epoch, earlier: earlier, behind: position.offset, in: entry)
        }
        let isOurs = core.cluster.map { message.isOf($0.node.id) } ?? false
        let publisher = isOurs ? message.publisher : nil
        let frame = encode(message, for: entry, history, position, stamp: entry.retainedCount)
        let time = now - min(now, age.milliseconds)
        core.registry.keep(frame, of: history, in: entry, retain: message.retain, now: time)
        let hand = {
            self.reportingDropsBehind {
                if self.table.localMemberCount(of: entry) > 0 { self.arrived(frame, except: publisher) }
                frame.retain(by: self.core.counters.count)
                _ = self.forward(frame, to: entry, except: publisher)
            }
        }
        if frame.isQuiet { quietly(hand) } else { hand() }
    }

    /// Encodes a message, stamped if it is to be, with one owner.
    func encode(
        _ message: SharedMessage, for entry: TopicEntry, _ history: TopicHistory, _ position: Position, stamp: UInt64
    ) -> SharedFrame {
        let frame = unsafe message.withPayload {
            unsafe encode(
                $0, as: message.opcode, for: entry, history, position, stamp: stamp, owners: 1,
                compress: message.compress)
        }
        if message.isQuiet { frame.makeQuiet() }
        return frame
    }

    /// The newest read of this node.
    var lastTicket: UInt64 { core.cluster?.node.interest.lastTicket ?? 0 }
}
