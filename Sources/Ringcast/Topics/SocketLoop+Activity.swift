import PubSub

/// Which topics cause most work, and which most waiting: noted for `Server.busiestTopics` and `slowestTopics`.
extension SocketLoop {
    /// Counts a fan-out before it is made. A comparison with what lies beside the count; few go on from there.
    @inline(__always)
    func countFanOut(of entry: TopicEntry) {
        let members = table.localMemberCount(of: entry)
        unsafe counters.pointee.fanOutWork += UInt64(members)
        if unsafe counters.pointee.fanOutWork >= counters.pointee.fanOutSample { noteDeliveries(members, of: entry) }
    }

    @inline(never)
    private func noteDeliveries(_ members: Int, of entry: TopicEntry) {
        unsafe counters.pointee.fanOutSample = topicMeters.deliveries.count(
            members, upTo: counters.pointee.fanOutWork, of: entry.topic, at: now)
    }

    /// Notes that a topic's messages have come behind others that wait, or not at all.
    @inline(never)
    func noteLateness(_ late: Int, dropped: Int, of entry: TopicEntry) {
        if late > 0 { topicMeters.behind.count(late, of: entry.topic, at: now) }
        if dropped > 0 { topicMeters.drops.count(dropped, of: entry.topic, at: now) }
    }

    /// Counts a message that found no room in another loop's lane.
    func countLaneDrop(of sockets: Int, _ entry: TopicEntry) {
        unsafe counters.pointee.dropsInLanes += UInt64(sockets)
        topicMeters.drops.count(sockets, of: entry.topic, at: now)
    }

    /// Once a second: a quiet one is sampled more closely than a busy one.
    func relaxSampling() {
        samplingEnds = now + 1_000
        unsafe counters.pointee.fanOutSample = topicMeters.deliveries.relax(
            behind: counters.pointee.fanOutWork, at: now)
    }
}

extension SocketCore {
    /// Counts a message of a thread that is no loop for so many sockets of a loop that could not take it.
    func countForeignDrop(of sockets: Int, _ entry: TopicEntry, on loop: Int) {
        counters[loop].countForeignDrop(of: sockets)
        if let group { counters[loop].topics.foreignDrops.count(sockets, of: entry.topic, at: group.milliseconds) }
    }
}
