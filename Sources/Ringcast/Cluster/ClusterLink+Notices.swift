import PubSub
import Reactor

/// What nodes say to each other: that they are there, and answers to questions.
extension ClusterLink {
    /// Bytes of a part of an answer: NATS takes no message of more than a megabyte.
    private static let partByteCount = 256 << 10

    /// The nodes that are there.
    var nodes: [String] { node.roster.nodes + [node.id] }

    /// Begins to hear of other nodes, and to say that this one is there.
    func beginNotices(on core: SocketCore) {
        for topic in node.noticeTopics { backplane.setInterest(true, in: topic) }
        core.run(LoopJob { $0?.wakeTimeReached() }, on: 0)
    }

    func say(_ notice: ClusterNotice, to topic: Topic = ClusterNotice.all) {
        // Safe: the span is used during the call alone.
        let bytes = notice.bytes
        _ = backplane.publish(unsafe bytes.span.bytes, isText: false, to: topic)
    }

    private func sayHere(_ core: SocketCore) {
        say(.here(node: node.id, sockets: core.server?.pendingWebSockets ?? 0))
    }

    /// Does what is due on a loop: all loops' topics become idle, and the first one keeps the roster.
    func tick(_ loop: EventLoop, _ core: SocketCore) {
        let (due, ended) = node.interest.sweep(now: loop.now)
        if let due { loop.wakeHandler(at: due) }
        for topic in ended { node.onHome(of: topic) { _ = $0.feed(of: topic) } }
        guard loop.index == 0 else { return }
        node.tellDrops()
        if node.isConnected, node.roster.isHereDue(now: loop.now) { sayHere(core) }
        let next = node.roster.sweep(now: loop.now) ?? .max
        loop.wakeHandler(at: min(next, loop.now + ClusterRoster.interval))
    }

    /// Asks all other nodes.
    /// - Returns: their answers; nil if one of them has not answered in time.
    func ask(_ question: ClusterQuestion, _ core: SocketCore) async -> [[UInt8]]? {
        await withCheckedContinuation { continuation in
            let job = LoopJob { loop in
                guard let loop else { return continuation.resume(returning: nil) }
                guard let number = self.node.roster.begin(continuation, now: loop.now) else { return }
                self.say(.question(asker: self.node.id, number: number, question))
                loop.eventLoop.wakeHandler(at: loop.now + ClusterRoster.patience)
            }
            core.run(job, on: 0)
        }
    }

    /// Hears what another node says, on any thread.
    func heard(_ notice: ClusterNotice, _ core: SocketCore) {
        switch notice {
        case .here(let other, let sockets):
            guard other != node.id else { return }
            let job = LoopJob { loop in
                guard let loop, self.node.roster.noteHere(other, sockets: sockets, now: loop.now) else { return }
                // A new one hears of this one at once.
                self.sayHere(core)
            }
            core.run(job, on: 0)
        case .gone(let other): node.roster.noteGone(other)
        case .question(let asker, let number, let question):
            if asker != node.id { answer(core.answer(question), to: asker, number) }
        case .answer(let other, let number, let isLast, let part):
            node.roster.answered(number, by: other, part, isLast: isLast)
        }
    }

    private func answer(_ bytes: [UInt8], to asker: String, _ number: UInt64) {
        var rest = bytes[...]
        repeat {
            let part = rest.prefix(Self.partByteCount)
            rest = rest.dropFirst(Self.partByteCount)
            say(
                .answer(node: node.id, number: number, isLast: rest.isEmpty, part: Array(part)),
                to: ClusterNotice.topic(of: asker))
        } while !rest.isEmpty
    }
}

extension SocketCore {
    fileprivate func answer(_ question: ClusterQuestion) -> [UInt8] {
        switch question.kind {
        case .subscribers: Array("\(registry.find(question.topic)?.subscriberCount ?? 0)".utf8)
        case .presence: presence.members(of: question.topic).flatMap(\.written)
        }
    }
}
