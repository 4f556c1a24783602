internal import Synchronization

/// One loop's way into a mailbox: a ring to the consumer, and an overflow that only the producer sees.
///
/// Once something has overflowed, everything behind it goes the same way until the overflow has drained: order is kept.
/// What lies in the ring is bounded in bytes as well, at the watermark of the overflow's.
@safe struct ProducerLane<Element: Sendable>: ~Copyable {
    private let ring: SPSCLane<Element>
    /// The producer's alone, in memory of its own, so that changes touch nothing that the consumer reads.
    private let overflow: UnsafeMutablePointer<OverflowQueue<Element>>
    /// The producer's alone, too: bytes put into the ring, and known to be taken. Both count up for ever and wrap.
    private let ringBytes: UnsafeMutablePointer<(put: Int, takenSeen: Int)>
    /// Bytes taken out of the ring. Written by the consumer alone, on a cache line of its own.
    private let takenBytes: UnsafeMutablePointer<Atomic<Int>>
    /// The overflow's count, for other threads' statistics.
    private let overflowCount = Atomic(0)

    /// - Parameter capacity: a power of two.
    init(capacity: Int) {
        ring = SPSCLane(capacity: capacity)
        unsafe overflow = .allocate(capacity: 1)
        unsafe overflow.initialize(to: OverflowQueue())
        unsafe ringBytes = .allocate(capacity: 1)
        unsafe ringBytes.initialize(to: (0, 0))
        unsafe takenBytes = UnsafeMutableRawPointer.allocate(byteCount: cacheLineSize, alignment: cacheLineSize)
            .bindMemory(to: Atomic<Int>.self, capacity: 1)
        unsafe takenBytes.initialize(to: Atomic(0))
    }

    deinit {
        unsafe overflow.deinitialize(count: 1)
        unsafe overflow.deallocate()
        unsafe ringBytes.deallocate()
        unsafe UnsafeMutableRawPointer(takenBytes).deallocate()
    }

    /// Producer only. Returns false when ring and overflow are full, and `element` is not taken.
    func push(_ element: Element, bounds: OverflowBounds<Element>) -> Bool {
        let bytes = bounds.byteCount(element)
        if flush(bounds) && pushIntoRing(element, bytes, bounds) { return true }
        guard unsafe bounds.haveRoom(overflow.pointee.count, overflow.pointee.byteCount) else { return false }
        unsafe overflow.pointee.append(element, byteCount: bytes)
        unsafe overflowCount.store(overflow.pointee.count, ordering: .relaxed)
        return true
    }

    /// Returns false when the ring is full, in elements or in bytes.
    private func pushIntoRing(_ element: Element, _ bytes: Int, _ bounds: OverflowBounds<Element>) -> Bool {
        if unsafe !bounds.haveRoomInRing(ringBytes.pointee.put &- ringBytes.pointee.takenSeen) {
            unsafe ringBytes.pointee.takenSeen = takenBytes.pointee.load(ordering: .relaxed)
            guard unsafe bounds.haveRoomInRing(ringBytes.pointee.put &- ringBytes.pointee.takenSeen) else {
                return false
            }
        }
        guard ring.push(element) else { return false }
        unsafe ringBytes.pointee.put &+= bytes
        return true
    }

    /// Producer only. Takes `element` whatever is held back already.
    func pushUrgent(_ element: Element, _ bounds: OverflowBounds<Element>) {
        let bytes = bounds.byteCount(element)
        if flush(bounds) && pushIntoRing(element, bytes, bounds) { return }
        unsafe overflow.pointee.append(element, byteCount: bytes)
        unsafe overflowCount.store(overflow.pointee.count, ordering: .relaxed)
    }

    /// Producer only. Whether something is held back.
    var hasOverflow: Bool { unsafe !overflow.pointee.isEmpty }

    /// Producer only. Moves into the ring what has room there. Returns whether nothing is held back any more.
    @inline(__always)
    func flush(_ bounds: OverflowBounds<Element>) -> Bool { !hasOverflow || flushOverflow(bounds) }

    @inline(never)
    private func flushOverflow(_ bounds: OverflowBounds<Element>) -> Bool {
        unsafe overflow.pointee.drain(byteCount: bounds.byteCount) { pushIntoRing($0, bounds.byteCount($0), bounds) }
        unsafe overflowCount.store(overflow.pointee.count, ordering: .relaxed)
        return !hasOverflow
    }

    /// Producer only. Whether so much is held back that the producer should wait.
    func isPastWatermark(_ bounds: OverflowBounds<Element>) -> Bool {
        unsafe bounds.isPastWatermark(overflow.pointee.count, overflow.pointee.byteCount)
    }

    /// Consumer only. See `SPSCLane.drain`.
    func drain(limit: Int, bounds: OverflowBounds<Element>, _ body: (Element) -> Void) -> Int {
        var bytes = 0
        let count = ring.drain(limit: limit) { element in
            bytes &+= bounds.byteCount(element)
            body(element)
        }
        if bytes > 0 {
            let taken = unsafe takenBytes.pointee.load(ordering: .relaxed)
            unsafe takenBytes.pointee.store(taken &+ bytes, ordering: .relaxed)
        }
        return count
    }

    /// Elements that the consumer can have: a recent value. Any thread.
    var count: Int { ring.count }

    /// `count` and what is held back. Any thread.
    var depth: Int { ring.count + overflowCount.load(ordering: .relaxed) }
}
