internal import Synchronization

/// A bounded queue that any number of threads push to and one drains: Vyukov's array queue, with a single consumer.
///
/// A producer claims a position by one compare-and-exchange, writes the cell, and then publishes it through the cell's
/// own sequence number. Between claim and publication the cell holds up those behind it: the consumer then finds
/// nothing, although `count` is not 0. No wake-up is lost by that, since the late producer still has its own "push,
/// fence, wake" ahead of it.
@safe struct MPSCQueue<Element: Sendable>: ~Copyable {
    /// Two cache lines: the next position to claim, and the consumer's position.
    private let lines: UnsafeMutableRawPointer
    /// A cell's number is the position that may be written to it, or that position + 1 once it has been written.
    private let sequences: UnsafeMutablePointer<Atomic<Int>>
    private let cells: UnsafeMutablePointer<Element>
    private let mask: Int

    /// - Parameter capacity: a power of two.
    init(capacity: Int) {
        precondition(capacity > 1 && capacity & (capacity - 1) == 0, "a queue's capacity is a power of two")
        unsafe lines = .allocate(byteCount: 2 * cacheLineSize, alignment: cacheLineSize)
        unsafe sequences = .allocate(capacity: capacity)
        unsafe cells = .allocate(capacity: capacity)
        mask = capacity - 1
        unsafe tail.initialize(to: Atomic(0))
        unsafe head.initialize(to: Atomic(0))
        for index in 0..<capacity {
            unsafe (sequences + index).initialize(to: Atomic(index))
        }
    }

    deinit {
        // Whoever destroys the queue is the only one left who knows it: nothing is claimed and unpublished.
        _ = drain(limit: .max) { _ in }
        unsafe cells.deallocate()
        unsafe sequences.deallocate()
        unsafe lines.deallocate()
    }

    private var tail: UnsafeMutablePointer<Atomic<Int>> {
        unsafe lines.assumingMemoryBound(to: Atomic<Int>.self)
    }
    private var head: UnsafeMutablePointer<Atomic<Int>> {
        unsafe (lines + cacheLineSize).assumingMemoryBound(to: Atomic<Int>.self)
    }

    /// Elements claimed and not yet taken: a recent value. Any thread.
    var count: Int {
        let head = unsafe head.pointee.load(ordering: .acquiring)
        let tail = unsafe tail.pointee.load(ordering: .acquiring)
        return min(max(tail &- head, 0), mask + 1)
    }

    /// Elements claimed so far (`endPosition`), and taken so far (`position`). Any thread.
    var endPosition: Int { unsafe tail.pointee.load(ordering: .acquiring) }
    var position: Int { unsafe head.pointee.load(ordering: .acquiring) }

    /// Any thread; never blocks. Returns false when the queue is full, and `element` is not in it.
    func push(_ element: Element) -> Bool {
        var position = unsafe tail.pointee.load(ordering: .relaxed)
        while true {
            // Acquire: the consumer has moved out of the cell before a producer writes it again.
            let sequence = unsafe (sequences + (position & mask)).pointee.load(ordering: .acquiring)
            let lag = sequence &- position
            if lag == 0 {
                let (claimed, current) = unsafe tail.pointee.weakCompareExchange(
                    expected: position, desired: position &+ 1, ordering: .relaxed)
                if claimed { break }
                position = current
            } else if lag < 0 {
                return false  // Still holds the element of a round ago.
            } else {
                position = unsafe tail.pointee.load(ordering: .relaxed)
            }
        }
        // Claimed: no other producer writes this cell, and the consumer waits for its sequence number.
        unsafe (cells + (position & mask)).initialize(to: element)
        unsafe (sequences + (position & mask)).pointee.store(position &+ 1, ordering: .releasing)
        return true
    }

    /// Consumer only. Moves out what has been published without a gap, at most `limit` elements; returns their number.
    func drain(limit: Int, _ body: (Element) -> Void) -> Int {
        var position = unsafe head.pointee.load(ordering: .relaxed)
        // One look at the tail bounds the batch: what `body` pushes waits for the next call.
        let claimed = unsafe tail.pointee.load(ordering: .relaxed) &- position
        let end = position &+ min(claimed, limit)
        var taken = 0
        while position != end {
            let sequence = unsafe sequences + (position & mask)
            guard unsafe sequence.pointee.load(ordering: .acquiring) == position &+ 1 else { break }
            let element = unsafe (cells + (position & mask)).move()
            // The cell is free for the round to come.
            unsafe sequence.pointee.store(position &+ mask &+ 1, ordering: .releasing)
            position &+= 1
            taken += 1
            unsafe head.pointee.store(position, ordering: .relaxed)
            body(element)
        }
        return taken
    }
}
