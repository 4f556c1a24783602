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

    /// Producer only. False: the ring is full, or something is held back, and `element` is not taken.
    func pushIntoRing(_ element: Element) -> Bool { !hasOverflow && ring.push(element) }

    /// Producer only. False: ring and overflow are full, and `element` is not taken.
    func push(_ element: Element, bounds: OverflowBounds<Element>) -> Bool {
        if flush(bounds) && ring.push(element) { return true }
        guard unsafe bounds.haveRoom(overflow.pointee.count, overflow.pointee.byteCount) else { return false }
        unsafe overflow.pointee.append(element, byteCount: bounds.byteCount(element))
        unsafe overflowCount.store(overflow.pointee.count, ordering: .relaxed)
        return true
    }

    /// Producer only. Takes `element` whatever is held back already.
    func pushUrgent(_ element: Element, _ bounds: OverflowBounds<Element>) {
        if flush(bounds) && ring.push(element) { return }
        unsafe overflow.pointee.append(element, byteCount: bounds.byteCount(element))
        unsafe overflowCount.store(overflow.pointee.count, ordering: .relaxed)
    }

    /// Producer only.
    var hasOverflow: Bool { unsafe !overflow.pointee.isEmpty }

    /// Producer only. Moves into the ring what has room there. True: nothing is held back any more.
    func flush(_ bounds: OverflowBounds<Element>) -> Bool {
        if !hasOverflow { return true }
        unsafe overflow.pointee.drain(byteCount: bounds.byteCount) { ring.push($0) }
        unsafe overflowCount.store(overflow.pointee.count, ordering: .relaxed)
        return !hasOverflow
    }

    /// Producer only. So much is held back that whoever produces should wait.
    func isPastWatermark(_ bounds: OverflowBounds<Element>) -> Bool {
        unsafe bounds.isPastWatermark(overflow.pointee.count, overflow.pointee.byteCount)
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
