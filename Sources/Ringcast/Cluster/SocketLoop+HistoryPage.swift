import PubSub
import Reactor

/// Reading a shared history: one read of a topic at a time, and what its answer leads to.
extension SocketLoop {
    /// Asks the engine for what is missing: older messages first if somebody waits for them.
    func ask(_ feed: HistoryFeed) {
        let state = feed.history.state
        guard feed.asked == nil, state.numbering.isKnown, let cluster = core.cluster else { return feed.mustAsk = true }
        if !feed.waiters.isEmpty, !state.isWhole, feed.filling == nil { feed.filling = [] }
        var position = state.position
        if let filling = feed.filling {
            position = filling.last.map { Position(epoch: state.numbering.epoch, offset: $0.offset) } ?? .oldest
        }
        feed.mustAsk = false
        feed.asked = cluster.read(feed.entry.topic, after: position)
    }

    /// Takes what the engine has answered.
    func arrived(_ page: HistoryPage) {
        guard let feed = feed(of: page.topic) else { return }
        if page.ticket == feed.start {
            begin(feed, page)
        } else if page.ticket == feed.asked {
            feed.asked = nil
            merge(page, into: feed)
        } else {
            return
        }
        settle(feed, behind: page)
    }

    /// The first answer: the topic goes on from here.
    private func begin(_ feed: HistoryFeed, _ page: HistoryPage) {
        guard !feed.history.state.numbering.isKnown else { return }
        let entry = feed.entry
        core.registry.begin(page.epoch, earlier: page.earlier, behind: page.last, in: entry)
        core.registry.noteOldest(page.first, in: entry)
        var bytes: [UInt8]?
        if let retained = page.retained, let message = SharedMessage(retained.bytes) {
            let position = Position(epoch: page.epoch, offset: retained.offset)
            let frame = encode(message, for: entry, feed.history, position, stamp: 0)
            bytes = unsafe [UInt8](frame.bytes)
            frame.release()
        }
        if let bytes { core.registry.adoptRetained(bytes, in: entry) }
        let (frame, topic, position) = (bytes, entry.topic, Position(epoch: page.epoch, offset: page.last))
        for loop in 0..<core.counters.count where entry.isInterested(loop) {
            core.run(LoopJob { $0?.greetNewcomers(of: topic, frame, at: position) }, on: loop)
        }
    }

    private func merge(_ page: HistoryPage, into feed: HistoryFeed) {
        if page.epoch != feed.history.state.numbering.epoch {
            feed.filling = nil
            changeNumbering(page, of: feed)
        }
        let isFilling = feed.filling != nil
        if isFilling { fill(page, into: feed) }
        for message in page.messages { catchUp(with: message, page.epoch, feed) }
        let last = feed.history.state.last
        // What is not in the answer, the engine has no more.
        if last + 1 < page.first {
            skip(to: page.first - 1, feed)
        } else if !isFilling, last < page.last, page.messages.isEmpty {
            skip(to: page.last, feed)
        }
        core.registry.noteOldest(page.first, in: feed.entry)
    }

    /// Hands on a message that was read, if it is new here.
    private func catchUp(with message: HistoryPage.Message, _ epoch: UInt64, _ feed: HistoryFeed) {
        let last = feed.history.state.last
        guard message.offset > last else { return }
        if message.offset > last + 1 { skip(to: message.offset - 1, feed) }
        deliver(message.bytes, at: Position(epoch: epoch, offset: message.offset), age: message.age, feed)
    }

    /// Goes on behind messages that are gone, and says so.
    private func skip(to offset: UInt64, _ feed: HistoryFeed) {
        let numbering = feed.history.state.numbering
        feed.filling = nil
        core.registry.begin(numbering.epoch, earlier: numbering.earlier, behind: offset, in: feed.entry)
        core.cluster?.node.noteHistoryGap(in: feed.entry.topic)
    }

    /// The engine has begun another numbering.
    private func changeNumbering(_ page: HistoryPage, of feed: HistoryFeed) {
        let place = feed.history.state.position
        let end = page.earlier.first { $0.epoch == place.epoch }
        var offset: UInt64 = 0
        if place.epoch == 0 {
            // Nothing had been numbered: what has been since then is in the answer.
        } else if let end {
            offset = min(place.offset, end.offset)
        } else if page.earlier.isEmpty {
            // All of it is newer than what was handed out here.
            offset = page.first - 1
        } else {
            // Some of it may have been handed out here, under other numbers.
            offset = page.last
        }
        core.registry.begin(page.epoch, earlier: page.earlier, behind: offset, in: feed.entry)
        let isWhole = place.epoch == 0 || end.map { place.offset <= $0.offset } ?? false
        if !isWhole { core.cluster?.node.noteHistoryGap(in: feed.entry.topic) }
    }

    /// Collects older messages until they reach those that are kept.
    private func fill(_ page: HistoryPage, into feed: HistoryFeed) {
        let (entry, state) = (feed.entry, feed.history.state)
        let older = page.messages.filter { $0.offset < state.first }
        var filling = feed.filling.take() ?? []
        if let last = filling.last, let next = older.first, next.offset != last.offset + 1 { filling = [] }
        filling += older
        let isComplete = older.count < page.messages.count || older.isEmpty || older.last?.offset == state.first - 1
        feed.filling = isComplete ? nil : filling
        guard isComplete, filling.last?.offset == state.first - 1 else { return }
        var frames: [(SharedFrame, UInt64)] = []
        for kept in filling.reversed() {
            // What is behind something that nobody of ours has appended, or that is missing, is as if it were gone.
            guard kept.offset == state.first - 1 - UInt64(frames.count), let message = SharedMessage(kept.bytes) else {
                break
            }
            let position = Position(epoch: page.epoch, offset: kept.offset)
            let frame = encode(message, for: entry, feed.history, position, stamp: state.stamp(of: kept.offset))
            frames.append((frame, now - min(now, kept.age.milliseconds)))
        }
        core.registry.prepend(frames.reversed(), in: entry)
    }

    /// Hands on what waited for an answer, and asks again if it was not all.
    private func settle(_ feed: HistoryFeed, behind page: HistoryPage) {
        while let held = feed.held.first {
            let place = feed.place(of: held.position)
            if place == .ahead { break }
            _ = feed.popHeld()
            if place == .next { deliver(held.message, at: held.position, age: .zero, feed) }
        }
        let state = feed.history.state
        let isCurrent = page.ticket == feed.start || page.epoch == state.numbering.epoch && page.last <= state.last
        // What is still ahead although it came before the read left, the engine does not know.
        while isCurrent, let held = feed.held.first, held.ticket < page.ticket { _ = feed.popHeld() }
        let isDone = isCurrent && feed.filling == nil && page.ticket != feed.start
        for (key, waiter) in feed.waiters {
            let isFinal = isDone && waiter.ticket < page.ticket
            guard isFinal || feed.history.canResume(after: waiter.position) else { continue }
            feed.waiters[key] = nil
            serve(key, feed, isFinal: isFinal)
        }
        if feed.mustAsk || !isCurrent || feed.filling != nil || !feed.held.isEmpty || !feed.waiters.isEmpty {
            ask(feed)
        }
    }
}
