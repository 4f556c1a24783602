internal import Synchronization

/// What other threads send to one loop: never blocks, loses nothing that it accepted.
///
/// Every producing loop has a lane of its own (`SPSCLane`), made at its first push; all other threads share one more
/// (`MPSCQueue`). A bitmap says which lanes are worth a look, so that the cost of a drain does not grow with the loops.
/// Order is kept per producer.
///
/// A producer ends each batch of pushes with `shouldWake(from:)` (`shouldWakeAfterForeignPush()`): only then is the
/// consumer sure to see the batch. See `Mailbox+Sleeping.swift`.
// Sendable: the stored properties are constants. What they point at is atomic, or belongs to one producer's thread or
// to the consumer's, as each method's comment says; elements are Sendable and are handed over by release and acquire.
@safe package final class Mailbox<Element: Sendable>: @unchecked Sendable {
    private let producers: Int
    private let laneCapacity: Int
    /// The bounds of each producer's overflow, then of the foreign lane.
    private let overflowBounds: OverflowBounds<Element>
    private let foreignBounds: OverflowBounds<Element>
    private let lanes: UnsafeMutablePointer<Atomic<UnsafeMutablePointer<ProducerLane<Element>>?>>
    private let foreign: MPSCQueue<Element>
    /// Bit p: lane p may hold something. The bit behind the last producer's is the foreign lane's.
    let lanesInUse: LaneBitmap
    /// The consumer's: the lane to begin with, alone on its cache line.
    private let cursor: UnsafeMutablePointer<Int>
    /// 1 from `prepareToSleep` until someone undertakes to wake the consumer, alone on its cache line.
    let sleeping: UnsafeMutablePointer<Atomic<Int>>
    /// Memory that waits with the elements of the foreign lane, alone on its cache line.
    private let foreignBytes: UnsafeMutablePointer<Atomic<Int>>

    /// - Parameters:
    ///   - producers: how many loops there are; they are numbered from 0.
    ///   - laneCapacity: elements in a loop's lane, a power of two.
    ///   - overflowLimit: elements a producer may hold back behind its full lane.
    ///   - foreignCapacity: elements in the lane that all other threads share, a power of two.
    ///   - byteLimit: memory that may wait with the elements of one overflow, or of the foreign lane; a quarter of it
    ///     in a loop's lane.
    ///   - byteCount: memory that waits with an element.
    package init(
        producers: Int, laneCapacity: Int = 256, overflowLimit: Int = 65_536, foreignCapacity: Int = 4_096,
        byteLimit: Int = .max, byteCount: @escaping @Sendable (Element) -> Int = { _ in 0 }
    ) {
        self.producers = producers
        self.laneCapacity = laneCapacity
        overflowBounds = OverflowBounds(count: overflowLimit, bytes: byteLimit, byteCount: byteCount)
        foreignBounds = OverflowBounds(count: foreignCapacity, bytes: byteLimit, byteCount: byteCount)
        unsafe lanes = .allocate(capacity: producers)
        for producer in 0..<producers {
            unsafe (lanes + producer).initialize(to: Atomic(nil))
        }
        foreign = MPSCQueue(capacity: foreignCapacity)
        lanesInUse = LaneBitmap(count: producers + 1)
        let lines = UnsafeMutableRawPointer.allocate(byteCount: 3 * cacheLineSize, alignment: cacheLineSize)
        unsafe sleeping = lines.bindMemory(to: Atomic<Int>.self, capacity: 1)
        unsafe sleeping.initialize(to: Atomic(0))
        unsafe cursor = (lines + cacheLineSize).bindMemory(to: Int.self, capacity: 1)
        unsafe cursor.initialize(to: 0)
        unsafe foreignBytes = (lines + 2 * cacheLineSize).bindMemory(to: Atomic<Int>.self, capacity: 1)
        unsafe foreignBytes.initialize(to: Atomic(0))
    }

    deinit {
        for producer in 0..<producers {
            if let lane = unsafe lane(of: producer) {
                unsafe lane.deinitialize(count: 1)
                unsafe lane.deallocate()
            }
        }
        unsafe lanes.deallocate()
        // The cursor and the foreign bytes lie in the same allocation.
        unsafe UnsafeMutableRawPointer(sleeping).deallocate()
    }

    // MARK: Producers

    /// From loop `producer`, on its thread. Returns false when lane and overflow are full, and `element` is not taken.
    ///
    /// Once something overflows, everything behind it goes the same way until the overflow has drained.
    package func push(_ element: Element, from producer: Int) -> Bool {
        let lane = unsafe lane(of: producer) ?? makeLane(of: producer)
        guard unsafe lane.pointee.push(element, bounds: overflowBounds) else { return false }
        lanesInUse.insert(producer)
        return true
    }

    /// From loop `producer`, on its thread: `push` for what must not be lost, beyond all bounds.
    package func pushUrgent(_ element: Element, from producer: Int) {
        let lane = unsafe lane(of: producer) ?? makeLane(of: producer)
        unsafe lane.pointee.pushUrgent(element, overflowBounds)
        lanesInUse.insert(producer)
    }

    /// From any thread but a producing loop's. Returns false when the lane is full, and `element` is not taken.
    package func push(foreign element: Element) -> Bool {
        let bytes = foreignBounds.byteCount(element)
        guard unsafe foreignBounds.haveRoom(0, foreignBytes.pointee.load(ordering: .relaxed)) else { return false }
        if bytes > 0 { unsafe foreignBytes.pointee.add(bytes, ordering: .relaxed) }
        guard foreign.push(element) else {
            if bytes > 0 { unsafe foreignBytes.pointee.subtract(bytes, ordering: .relaxed) }
            return false
        }
        lanesInUse.insert(foreignLane)
        return true
    }

    /// From loop `producer`, on its thread: whether a quarter or more of what its overflow may hold waits there.
    package func isPastWatermark(from producer: Int) -> Bool {
        guard let lane = unsafe lane(of: producer) else { return false }
        return unsafe lane.pointee.isPastWatermark(overflowBounds)
    }

    /// Whether a quarter or more of what the foreign lane may hold waits there: a recent value. Any thread.
    package var isForeignLanePastWatermark: Bool {
        unsafe foreignBounds.isPastWatermark(foreign.count, foreignBytes.pointee.load(ordering: .relaxed))
    }

    /// From loop `producer`, once per turn: moves on what overflowed. Returns whether nothing is held back any more.
    ///
    /// While something is, the producer must not sleep for long, for nobody tells it that the lane has room again. What
    /// was moved wants a `shouldWake(from:)`, as a push does. Costs two loads when there is nothing to do.
    package func flushOverflow(from producer: Int) -> Bool {
        guard let lane = unsafe lane(of: producer) else { return true }
        if unsafe lane.pointee.hasOverflow {
            _ = unsafe lane.pointee.flush(overflowBounds)
            lanesInUse.insert(producer)
        }
        return unsafe !lane.pointee.hasOverflow
    }

    /// From loop `producer`, on its thread: whether something waits for room in its lane.
    package func holdsBack(from producer: Int) -> Bool {
        guard let lane = unsafe lane(of: producer) else { return false }
        return unsafe lane.pointee.hasOverflow
    }

    // MARK: Consumer

    /// Consumer only. Takes at most `limit` elements, in order per producer, and returns their number.
    ///
    /// `body` may push to this mailbox, its elements come with the next drain; it must not drain. Lanes take turns in
    /// being first, so that a limit starves none.
    package func drain(limit: Int = .max, _ body: (Element) -> Void) -> Int {
        var taken = 0
        let start = unsafe cursor.pointee
        lanesInUse.removeAll(from: start) { lane in
            taken += take(from: lane, limit: limit - taken, body)
            if taken < limit { return true }
            unsafe cursor.pointee = lane == foreignLane ? 0 : lane + 1
            return false
        }
        return taken
    }

    private func take(from lane: Int, limit: Int, _ body: (Element) -> Void) -> Int {
        if lane == foreignLane { return takeForeign(limit: limit, body) }
        guard let lane = unsafe self.lane(of: lane) else { return 0 }
        return unsafe lane.pointee.drain(limit: limit, bounds: overflowBounds, body)
    }

    private func takeForeign(limit: Int, _ body: (Element) -> Void) -> Int {
        foreign.drain(limit: limit) { element in
            let bytes = foreignBounds.byteCount(element)
            if bytes > 0 { unsafe foreignBytes.pointee.subtract(bytes, ordering: .relaxed) }
            body(element)
        }
    }

    // MARK: Any thread

    /// How much has been pushed by threads that are no producing loops: a place in their order.
    package var foreignPosition: Int { foreign.endPosition }

    /// Whether everything before a place in that order has been taken.
    package func hasTakenForeign(upTo position: Int) -> Bool { foreign.position >= position }

    /// Whether nothing lies ready for the consumer. What is held back by producers does not count.
    package var isEmpty: Bool { lanesInUse.isEmpty }

    /// Elements on their way, with those held back by producers: a recent value, O(producers). For statistics.
    package var depth: Int {
        var depth = foreign.count
        for producer in 0..<producers {
            guard let lane = unsafe lane(of: producer) else { continue }
            depth += unsafe lane.pointee.depth
        }
        return depth
    }

    var foreignLane: Int { producers }

    func count(of lane: Int) -> Int {
        if lane == foreignLane { return foreign.count }
        guard let lane = unsafe self.lane(of: lane) else { return 0 }
        return unsafe lane.pointee.count
    }

    private func lane(of producer: Int) -> UnsafeMutablePointer<ProducerLane<Element>>? {
        precondition(producer >= 0 && producer < producers, "no such loop")
        // Acquire, for the threads that did not make the lane.
        return unsafe (lanes + producer).pointee.load(ordering: .acquiring)
    }

    private func makeLane(of producer: Int) -> UnsafeMutablePointer<ProducerLane<Element>> {
        let lane = UnsafeMutablePointer<ProducerLane<Element>>.allocate(capacity: 1)
        unsafe lane.initialize(to: ProducerLane(capacity: laneCapacity))
        unsafe (lanes + producer).pointee.store(lane, ordering: .releasing)
        return unsafe lane
    }
}
