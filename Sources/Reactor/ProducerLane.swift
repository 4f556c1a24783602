internal import Synchronization

/// One loop's way into a mailbox: a ring to the consumer, and an overflow that only the producer sees.
///
/// Once something has overflowed, everything behind it goes the same way until the overflow has drained: order is kept.
@safe struct ProducerLane<Element: Sendable>: ~Copyable {
    private let ring: SPSCLane<Element>
    /// The producer's alone. In memory of its own, so that its changes touch nothing that the consumer reads.
    private let overflow: UnsafeMutablePointer<OverflowQueue<Element>>
    /// The overflow's count, for other threads' statistics.
    private let overflowCount = Atomic(0)

    /// - Parameter capacity: a power of two.
    init(capacity: Int) {
        ring = SPSCLane(capacity: capacity)
        unsafe overflow = .allocate(capacity: 1)
        unsafe overflow.initialize(to: OverflowQueue())
    }

    deinit {
        unsafe overflow.deinitialize(count: 1)
        unsafe overflow.deallocate()
    }

    /// Producer only. False: ring and overflow are full, and `element` is not taken.
    func push(_ element: Element, overflowLimit: Int) -> Bool {
        if flush() && ring.push(element) { return true }
        if unsafe overflow.pointee.count >= overflowLimit { return false }
        unsafe overflow.pointee.append(element)
        unsafe overflowCount.store(overflow.pointee.count, ordering: .relaxed)
        return true
    }

    /// Producer only.
    var hasOverflow: Bool { unsafe !overflow.pointee.isEmpty }

    /// Producer only. Moves into the ring what has room there. True: nothing is held back any more.
    func flush() -> Bool {
        if !hasOverflow { return true }
        unsafe overflow.pointee.drain { ring.push($0) }
        unsafe overflowCount.store(overflow.pointee.count, ordering: .relaxed)
        return !hasOverflow
    }

    /// Consumer only. See `SPSCLane.drain`.
    func drain(limit: Int, _ body: (Element) -> Void) -> Int {
        ring.drain(limit: limit, body)
    }

    /// Elements that the consumer can have: a recent value. Any thread.
    var count: Int { ring.count }

    /// The same and what is held back. Any thread.
    var depth: Int { ring.count + overflowCount.load(ordering: .relaxed) }
}
