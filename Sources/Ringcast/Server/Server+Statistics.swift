import Reactor

extension Server {
    /// The figures of every loop, by its index. Costs a walk over the loops. Any thread.
    public var statistics: [ServerStatistics] { core.statistics(of: group) }

    /// The figures of all loops together. Costs what `statistics` costs. Any thread.
    public var totals: ServerStatistics { statistics.reduce(ServerStatistics(), +) }
}

extension SocketCore {
    func statistics(of group: LoopGroup) -> [ServerStatistics] {
        counters.enumerated().map { index, counters in
            var statistics = ServerStatistics(
                counters.load(), group.statistics(of: index), mailboxDepth: group.mailboxDepth(of: index))
            statistics.driver = group.driver
            return statistics
        }
    }
}

extension ServerStatistics {
    init(_ counters: LoopCounters, _ loop: LoopStatistics, mailboxDepth: Int) {
        sockets = Int(counters.sockets)
        connections = loop.connections.value
        messagesIn = Int(counters.messagesIn)
        messagesOverRate = Int(counters.messagesOverRate)
        messagesOut = Int(counters.messagesOut)
        bytesIn = loop.bytesIn.value
        bytesOut = loop.bytesOut.value
        publishes = Int(counters.publishes)
        framesEncoded = Int(counters.framesEncoded)
        framesDeflated = Int(counters.framesDeflated)
        deliveries = Int(counters.deliveries)
        dropsAtLimit = Int(counters.dropsAtLimit)
        dropsClosed = Int(counters.dropsClosed)
        dropsInLanes = Int(counters.dropsInLanes)
        dropsEvicted = Int(counters.dropsEvicted)
        dropsSuperseded = Int(counters.dropsSuperseded)
        handshakes = loop.handshakes.value
        resumptions = loop.resumptions.value
        handshakeFailures = loop.handshakeFailures.value
        sendSubmissions = loop.sendSubmissions.value
        loopTurns = loop.turns.value
        self.mailboxDepth = mailboxDepth
    }
}
