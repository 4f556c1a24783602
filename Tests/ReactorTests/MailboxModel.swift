/// The words by which a consumer and a producer of a mailbox agree on sleep and wake-ups (`Mailbox+Sleeping`,
/// `LaneBitmap`), as a model all of whose interleavings are gone through.
///
/// The memory is as weak as the code has to expect: a plain store waits in its thread's buffer and becomes visible at
/// any later time, stores to different words in any order unless one is a release; a fence finds the buffer empty.
/// Loads happen in order. A read-modify-write is a fence as well, as on x86: what the two fences are for that stand
/// behind one (in `removeAll` and behind the second look) shows on weaker machines only, and not here.
struct MailboxModel: Hashable {
    /// What is left out of the protocol.
    enum Flaw: CaseIterable {
        case secondLook, producerFence, sleepFence
    }

    private enum Word: Hashable { case pushed, bit, sleeping }

    private struct Store: Hashable {
        let word: Word
        let value: Int
        let isRelease: Bool
    }

    private struct Thread: Hashable {
        var step = 0
        var buffer: [Store] = []
        /// What the thread has read and acts on.
        var seen = 0
    }

    private var memory: [Word: Int] = [.pushed: 0, .bit: 0, .sleeping: 0]
    private var producer = Thread()
    private var consumer = Thread()
    private var pushesLeft: Int
    private var taken = 0
    private var isBlocked = false
    private var hasWakeUp = false
    private let flaw: Flaw?

    init(pushes: Int, without flaw: Flaw?) {
        pushesLeft = pushes
        self.flaw = flaw
    }

    /// Whether the consumer sleeps for ever over what was pushed.
    private var isLost: Bool {
        pushesLeft == 0 && producer == Thread() && isBlocked && !hasWakeUp && memory[.pushed]! > taken
    }

    /// Goes through everything that can happen. Returns how many states there are, and whether one has lost a wake-up.
    static func explore(pushes: Int, without flaw: Flaw?) -> (states: Int, isLost: Bool) {
        let first = MailboxModel(pushes: pushes, without: flaw)
        var seen: Set<MailboxModel> = [first]
        var open = [first]
        while let state = open.popLast() {
            if state.isLost { return (seen.count, true) }
            for next in state.successors where seen.insert(next).inserted { open.append(next) }
        }
        return (seen.count, false)
    }

    private var successors: [MailboxModel] {
        var result: [MailboxModel] = []
        for thread in [\MailboxModel.producer, \MailboxModel.consumer] {
            for index in self[keyPath: thread].buffer.indices where mayBecomeVisible(index, of: self[keyPath: thread]) {
                var next = self
                let store = next[keyPath: thread].buffer.remove(at: index)
                next.memory[store.word] = store.value
                result.append(next)
            }
        }
        var produced = self
        if produced.produce() { result.append(produced) }
        var consumed = self
        if consumed.consume() { result.append(consumed) }
        return result
    }

    /// Stores to one word stay in order, and nothing overtakes what a release has to follow.
    private func mayBecomeVisible(_ index: Int, of thread: Thread) -> Bool {
        let store = thread.buffer[index]
        return thread.buffer[..<index].allSatisfy { !store.isRelease && $0.word != store.word }
    }

    private func load(_ word: Word, _ thread: Thread) -> Int {
        thread.buffer.last { $0.word == word }?.value ?? memory[word]!
    }

    // MARK: the producer: push(_:from:), then shouldWake(from:)

    private mutating func produce() -> Bool {
        switch producer.step {
        case 0:
            guard pushesLeft > 0 else { return false }
            let count = load(.pushed, producer)
            producer.buffer.append(Store(word: .pushed, value: count + 1, isRelease: true))
        case 1: producer.seen = load(.bit, producer)
        case 2: if producer.seen == 0 { return changeAtOnce(\.producer, .bit, to: 1) }
        case 3 where flaw != .producerFence: guard producer.buffer.isEmpty else { return false }
        case 4: producer.seen = flaw == .secondLook ? 1 : load(.bit, producer)
        case 5: if producer.seen == 0 { return changeAtOnce(\.producer, .bit, to: 1) }
        case 6: producer.seen = load(.sleeping, producer)
        case 7:
            if producer.seen == 1 {
                guard producer.buffer.isEmpty else { return false }
                hasWakeUp = hasWakeUp || memory[.sleeping] == 1
                memory[.sleeping] = 0
            }
        case 8:
            // The end of a batch; what it has stored becomes visible some time.
            guard producer.buffer.isEmpty else { return false }
            pushesLeft -= 1
            producer = Thread()
            return true
        default: break
        }
        producer.step += 1
        return true
    }

    // MARK: the consumer: drain, prepareToSleep, block, wokeUp, for ever

    private mutating func consume() -> Bool {
        if isBlocked {
            guard hasWakeUp else { return false }
            (isBlocked, hasWakeUp) = (false, false)
            consumer.buffer.append(Store(word: .sleeping, value: 0, isRelease: false))
            consumer.step = 0
            return true
        }
        switch consumer.step {
        case 0: consumer.seen = load(.bit, consumer)
        case 1: if consumer.seen == 1 { return changeAtOnce(\.consumer, .bit, to: 0) }
        case 2: if consumer.seen == 1 { taken = load(.pushed, consumer) }
        case 3: consumer.buffer.append(Store(word: .sleeping, value: 1, isRelease: false))
        case 4 where flaw != .sleepFence: guard consumer.buffer.isEmpty else { return false }
        case 5: consumer.seen = load(.bit, consumer)
        case 6:
            if consumer.seen == 0 {
                isBlocked = true
                return true
            }
            consumer.buffer.append(Store(word: .sleeping, value: 0, isRelease: false))
            consumer.step = 0
            consumer.seen = 0
            return true
        default: break
        }
        consumer.step += 1
        return true
    }

    /// A read-modify-write: it waits for the thread's own stores, and is visible at once.
    private mutating func changeAtOnce(
        _ thread: WritableKeyPath<MailboxModel, Thread>, _ word: Word, to value: Int
    ) -> Bool {
        guard self[keyPath: thread].buffer.isEmpty else { return false }
        memory[word] = value
        self[keyPath: thread].step += 1
        return true
    }
}
