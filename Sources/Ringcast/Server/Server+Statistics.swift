import Reactor

extension Server {
    /// The figures of every loop, by its index.
    public var statistics: [ServerStatistics] {
        core.counters.enumerated().map { index, counters in
            ServerStatistics(counters.load(), group.statistics(of: index))
        }
    }
}

extension ServerStatistics {
    init(_ counters: LoopCounters, _ loop: LoopStatistics) {
        sockets = Int(counters.sockets)
        connections = Int(loop.open)
        messagesIn = Int(counters.messagesIn)
        messagesOut = Int(counters.messagesOut)
        bytesIn = Int(loop.bytesIn)
        bytesOut = Int(loop.bytesOut)
        publishes = Int(counters.publishes)
        framesEncoded = Int(counters.framesEncoded)
        deliveries = Int(counters.deliveries)
        dropsAtLimit = Int(counters.dropsAtLimit)
        dropsClosed = Int(counters.dropsClosed)
        dropsInLanes = Int(counters.dropsInLanes)
        sendSubmissions = Int(loop.sendSubmissions)
        loopTurns = Int(loop.turns)
        mailboxDepth = Int(loop.mailboxDepth)
    }
}
