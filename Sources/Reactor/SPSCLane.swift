internal import Synchronization

/// A bounded queue with one producing and one consuming thread: a ring of `capacity` slots, no read-modify-write.
///
/// Each side's index lies on a cache line of its own, beside that side's last look at the other index: while the ring
/// is neither full nor empty, a side touches only its own line and the slots. Both indices count up for ever and wrap.
@safe struct SPSCLane<Element: Sendable>: ~Copyable {
    /// Two cache lines: the producer's index and its copy of the consumer's, then the consumer's and its copy.
    private let lines: UnsafeMutableRawPointer
    private let slots: UnsafeMutablePointer<Element>
    private let mask: Int

    /// - Parameter capacity: a power of two.
    init(capacity: Int) {
        precondition(capacity > 0 && capacity & (capacity - 1) == 0, "a lane's capacity is a power of two")
        unsafe lines = .allocate(byteCount: 2 * cacheLineSize, alignment: cacheLineSize)
        unsafe slots = .allocate(capacity: capacity)
        mask = capacity - 1
        unsafe tail.initialize(to: Atomic(0))
        unsafe headSeen.initialize(to: 0)
        unsafe head.initialize(to: Atomic(0))
        unsafe tailSeen.initialize(to: 0)
    }

    deinit {
        // Whoever destroys a lane is the only one left who knows it.
        var position = unsafe head.pointee.load(ordering: .acquiring)
        let end = unsafe tail.pointee.load(ordering: .acquiring)
        while position != end {
            unsafe (slots + (position & mask)).deinitialize(count: 1)
            position &+= 1
        }
        unsafe slots.deallocate()
        unsafe lines.deallocate()
    }

    // The producer's line: where it writes next, and how far it knows the consumer to be.
    private var tail: UnsafeMutablePointer<Atomic<Int>> {
        unsafe lines.assumingMemoryBound(to: Atomic<Int>.self)
    }
    private var headSeen: UnsafeMutablePointer<Int> {
        unsafe (lines + 8).assumingMemoryBound(to: Int.self)
    }

    // The consumer's line: where it reads next, and how far it knows the producer to be.
    private var head: UnsafeMutablePointer<Atomic<Int>> {
        unsafe (lines + cacheLineSize).assumingMemoryBound(to: Atomic<Int>.self)
    }
    private var tailSeen: UnsafeMutablePointer<Int> {
        unsafe (lines + cacheLineSize + 8).assumingMemoryBound(to: Int.self)
    }

    /// Elements in the ring: exact for a side that the other leaves alone, else a recent value. Any thread.
    var count: Int {
        // The head first: read afterwards, it could have overtaken the tail that was read.
        let head = unsafe head.pointee.load(ordering: .acquiring)
        let tail = unsafe tail.pointee.load(ordering: .acquiring)
        return min(max(tail &- head, 0), mask + 1)
    }

    /// Producer only. Returns false when the ring is full, and `element` is not in it.
    func push(_ element: Element) -> Bool {
        let position = unsafe tail.pointee.load(ordering: .relaxed)
        if unsafe position &- headSeen.pointee > mask {
            // Acquire: the consumer has moved out of a slot before this side writes it again.
            unsafe headSeen.pointee = head.pointee.load(ordering: .acquiring)
            if unsafe position &- headSeen.pointee > mask { return false }
        }
        // The slot lies outside head..<tail: uninitialized, and the consumer does not touch it until the tail moves.
        unsafe (slots + (position & mask)).initialize(to: element)
        unsafe tail.pointee.store(position &+ 1, ordering: .releasing)
        return true
    }

    /// Consumer only. Moves out what is in the ring now, at most `limit` elements, and returns their number.
    ///
    /// The slots are given back together, after the last `body`; what `body` itself pushes waits for the next call.
    func drain(limit: Int, _ body: (Element) -> Void) -> Int {
        let position = unsafe head.pointee.load(ordering: .relaxed)
        if unsafe tailSeen.pointee &- position < limit {
            unsafe tailSeen.pointee = tail.pointee.load(ordering: .acquiring)
        }
        let taken = unsafe min(tailSeen.pointee &- position, limit)
        if taken == 0 { return 0 }
        for offset in 0..<taken {
            // Inside head..<tail: initialized by the producer before the tail that was acquired.
            unsafe body((slots + ((position &+ offset) & mask)).move())
        }
        unsafe head.pointee.store(position &+ taken, ordering: .releasing)
        return taken
    }
}
