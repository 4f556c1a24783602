/// Four words, as what travels between loops.
struct Message: Sendable {
    var producer: Int
    var sequence: Int
    var third = 0
    var fourth = 0
}

/// What both ways into a loop can do.
protocol Candidate: AnyObject, Sendable {
    init(producers: Int)
    func push(_ message: Message, from producer: Int) -> Bool
    func flushOverflow(from producer: Int) -> Bool
    func shouldWake(from producer: Int) -> Bool
    func drain(limit: Int, _ body: (Message) -> Void) -> Int
    func prepareToSleep() -> Bool
    func wokeUp()
}

extension Mailbox<Message>: Candidate {
    convenience init(producers: Int) { self.init(producers: producers, laneCapacity: 256) }
}

extension SingleQueueMailbox<Message>: Candidate {
    /// As much room as the lanes have together.
    convenience init(producers: Int) { self.init(producers: producers, capacity: 256 * producers) }
}
