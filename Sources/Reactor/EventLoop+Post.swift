/// What a loop posts to others goes into their mailboxes at once; who sleeps is woken at the end of the turn.
extension EventLoop {
    /// Posts to the handler of another loop, or of this one, in order. False: that loop's mailbox is at its bound, and
    /// nothing was posted. Costs a few stores; the loop is woken at the end of the turn, if it sleeps.
    package func post(_ message: ServiceMessage, to loop: Int) -> Bool {
        guard group.mailboxes[loop].push(.service(message), from: index) else { return false }
        state.posted.insert(loop)
        return true
    }

    /// Posts what must not be lost: whatever waits already, and behind what was posted before.
    package func postUrgent(_ message: ServiceMessage, to loop: Int) {
        group.mailboxes[loop].pushUrgent(.service(message), from: index)
        state.posted.insert(loop)
    }

    /// So much of what this loop has posted to another one waits that it should post less.
    package func isPastWatermark(of loop: Int) -> Bool { group.mailboxes[loop].isPastWatermark(from: index) }

    /// The end of the turn: one wake-up for each loop that was posted something and sleeps.
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

    /// Removes those for which `isDone` says so.
    mutating func removeAll(where isDone: (Int) -> Bool) {
        guard !members.isEmpty else { return }
        members.removeAll { loop in
            guard isDone(loop) else { return false }
            isMember[loop] = false
            return true
        }
    }
}
