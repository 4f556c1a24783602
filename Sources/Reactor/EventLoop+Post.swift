/// What a loop posts goes into the mailboxes of others at once; those that sleep are woken at the end of the turn.
extension EventLoop {
    /// Posts to the handler of another loop, or of this one, in order. Returns false, and posts nothing, where that
    /// loop's mailbox is at its bound. Costs a few stores.
    package func post(_ message: ServiceMessage, to loop: Int) -> Bool {
        guard group.mailboxes[loop].push(.service(message), from: index) else { return false }
        state.posted.insert(loop)
        return true
    }

    /// Posts what must not be lost, in order, however much waits already.
    package func postUrgent(_ message: ServiceMessage, to loop: Int) {
        group.mailboxes[loop].pushUrgent(.service(message), from: index)
        state.posted.insert(loop)
    }

    /// Whether so much of what this loop has posted to another one waits that it should post less.
    package func isPastWatermark(of loop: Int) -> Bool { group.mailboxes[loop].isPastWatermark(from: index) }

    /// At the end of the turn: one wake-up for each loop that was posted something and sleeps.
    func wakePostedLoops() {
        state.posted.removeAll { loop in
            let mailbox = group.mailboxes[loop]
            let isDelivered = mailbox.flushOverflow(from: index)
            if loop != index, mailbox.shouldWake(from: index) {
                statistics.wakeUps.add(1)
                wake(loop)
            }
            return isDelivered
        }
    }

    /// The other loop's driver could not be reached (its queue is full, memory was short): that loop would sleep on.
    func notifyFailed(_ completion: DriverCompletion) {
        if completion.error != nil { group.wake(Int(completion.token.slot)) }
    }

    private func wake(_ loop: Int) {
        if state.addresses.isEmpty { state.addresses = group.driverAddresses }
        guard loop < state.addresses.count else { return }
        driver.notify(state.addresses[loop], token: Token(.notify, slot: UInt32(loop)))
    }
}

/// A small set of loop indices, in the order of insertion.
struct LoopSet {
    private var isMember: [Bool]
    private(set) var members: [Int] = []

    init(loopCount: Int) { isMember = Array(repeating: false, count: loopCount) }

    var isEmpty: Bool { members.isEmpty }

    mutating func insert(_ loop: Int) {
        guard !isMember[loop] else { return }
        isMember[loop] = true
        members.append(loop)
    }

    mutating func removeAll(where isDone: (Int) -> Bool) {
        guard !members.isEmpty else { return }
        members.removeAll { loop in
            guard isDone(loop) else { return false }
            isMember[loop] = false
            return true
        }
    }
}
