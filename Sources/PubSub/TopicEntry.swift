internal import Synchronization

/// What all loops share about one topic: who is interested, how many subscribe. Made and forgotten by `TopicRegistry`.
///
/// Good for as long as the table that gave it out does nothing else: ask again for each publish rather than keep it.
// Sendable: the words of interest are atomic; the index of loop i is read and written by loop i alone.
@usableFromInline @safe package final class TopicEntry: @unchecked Sendable {
    package let topic: Topic
    let loopCount: Int
    /// The loop that numbers the topic's messages where they have one order for everybody.
    package let home: Int
    /// What is kept of the topic's messages; nil for nearly all topics.
    package let history: TopicHistory?
    private let subscribers = Atomic(0)
    private let policyWord: Atomic<UInt32>
    /// How many retained publishes there were; where there is a history, how many of all.
    private let retainedNumber = Atomic<UInt64>(0)
    /// The frame that is retained now.
    private let retained = Mutex<[UInt8]?>(nil)
    // Five arrays in one allocation, one behind the other in this order. 64 loops to a word.

    /// Bit i of the words tells whether loop i has subscribers.
    private let interest: UnsafeMutablePointer<Atomic<UInt64>>
    /// Bit i of the words tells whether some of loop i's subscribers are behind.
    private let behind: UnsafeMutablePointer<Atomic<UInt64>>
    /// How many subscribers each loop has.
    private let localCounts: UnsafeMutablePointer<Atomic<UInt32>>
    /// Where each loop's table keeps this topic.
    private let localIndices: UnsafeMutablePointer<UInt32>
    /// Which variants of a frame each loop's subscribers take: a set of bits.
    let localVariants: UnsafeMutablePointer<Atomic<UInt8>>

    private static let none = UInt32.max

    init(topic: Topic, loopCount: Int, policy: UInt32 = 0, history: TopicHistory? = nil) {
        self.topic = topic
        self.history = history
        home = topic.home(among: loopCount)
        policyWord = Atomic(policy)
        self.loopCount = loopCount
        let wordCount = (loopCount + 63) / 64
        let memory = UnsafeMutableRawPointer.allocate(byteCount: wordCount * 16 + loopCount * 9, alignment: 8)
        unsafe interest = memory.bindMemory(to: Atomic<UInt64>.self, capacity: wordCount)
        unsafe behind = (memory + wordCount * 8).bindMemory(to: Atomic<UInt64>.self, capacity: wordCount)
        unsafe localCounts = (memory + wordCount * 16).bindMemory(to: Atomic<UInt32>.self, capacity: loopCount)
        unsafe localIndices = (memory + wordCount * 16 + loopCount * 4).bindMemory(to: UInt32.self, capacity: loopCount)
        unsafe localVariants = (memory + wordCount * 16 + loopCount * 8)
            .bindMemory(to: Atomic<UInt8>.self, capacity: loopCount)
        for word in 0..<wordCount {
            unsafe (interest + word).initialize(to: Atomic(0))
            unsafe (behind + word).initialize(to: Atomic(0))
        }
        for loop in 0..<loopCount {
            unsafe (localCounts + loop).initialize(to: Atomic(0))
            unsafe (localVariants + loop).initialize(to: Atomic(0))
        }
        unsafe localIndices.initialize(repeating: Self.none, count: loopCount)
    }

    // All five arrays are trivial, and the first begins the allocation.
    deinit { unsafe UnsafeMutableRawPointer(interest).deallocate() }

    // MARK: Any thread

    /// Subscribers on all loops: a recent value.
    package var subscriberCount: Int { subscribers.load(ordering: .relaxed) }

    /// Subscribers on one loop: a recent value.
    package func subscriberCount(on loop: Int) -> Int {
        precondition(loop >= 0 && loop < loopCount, "no such loop")
        return unsafe Int((localCounts + loop).pointee.load(ordering: .relaxed))
    }

    /// How the topic's frames are delivered; what the word means is the registry's maker's business.
    package var policy: UInt32 { policyWord.load(ordering: .relaxed) }

    func setPolicy(_ policy: UInt32) { policyWord.store(policy, ordering: .relaxed) }

    /// Retained publishes so far, or all where there is a history: the stamp of a publish made now.
    package var retainedCount: UInt64 { retainedNumber.load(ordering: .acquiring) }

    /// Runs `body` under the lock of the topic's retained frame.
    func withRetained<Result>(_ body: (inout [UInt8]?) -> Result) -> Result { retained.withLock { body(&$0) } }

    /// Counts retained publishes, and returns how many there were before. Called in `withRetained`.
    /// - Parameter count: other than 1 in tests only, which cannot wait for 2³¹ publishes.
    @discardableResult
    func countRetained(_ count: UInt64 = 1) -> UInt64 { retainedNumber.add(count, ordering: .releasing).oldValue }

    /// Whether `loop` has subscribers. A publish that happens after a `subscribe` returned sees it.
    package func isInterested(_ loop: Int) -> Bool {
        precondition(loop >= 0 && loop < loopCount, "no such loop")
        return unsafe (interest + loop / 64).pointee.load(ordering: .acquiring) & Self.bit(loop) != 0
    }

    /// Whether some of `loop`'s subscribers are behind: a recent value.
    package func isBehind(_ loop: Int) -> Bool {
        precondition(loop >= 0 && loop < loopCount, "no such loop")
        return unsafe (behind + loop / 64).pointee.load(ordering: .relaxed) & Self.bit(loop) != 0
    }

    /// Whether any loop but `loop` has subscribers that are behind: a recent value.
    package func isBehindElsewhere(than loop: Int?) -> Bool {
        var found = false
        forEachInterestedLoop { if $0 != loop, isBehind($0) { found = true } }
        return found
    }

    /// Whether any loop but `loop` has subscribers.
    package func isInterestedElsewhere(than loop: Int) -> Bool {
        var found = false
        forEachInterestedLoop { if $0 != loop { found = true } }
        return found
    }

    /// The loops with subscribers, in ascending order.
    package func forEachInterestedLoop(_ body: (Int) -> Void) {
        for word in 0..<(loopCount + 63) / 64 {
            var bits = unsafe (interest + word).pointee.load(ordering: .acquiring)
            while bits != 0 {
                body(word * 64 + bits.trailingZeroBitCount)
                bits &= bits - 1
            }
        }
    }

    // MARK: A loop's table

    /// Notes that loop `loop` has `count` subscribers now, and returns how many there are on all loops. Called by that
    /// loop alone, like everything below.
    @discardableResult
    func addSubscribers(_ difference: Int, on loop: Int, count: Int) -> Int {
        unsafe (localCounts + loop).pointee.store(UInt32(count), ordering: .relaxed)
        return subscribers.add(difference, ordering: .relaxed).newValue
    }

    /// Called when the first of the loop's subscribers comes, and when the last goes.
    func setInterest(of loop: Int, _ isInterested: Bool) { unsafe set(interest, of: loop, isInterested) }

    /// Called when the first of the loop's subscribers falls behind, and when the last has caught up.
    func setBehind(of loop: Int, _ isBehind: Bool) { unsafe set(behind, of: loop, isBehind) }

    private func set(_ words: UnsafeMutablePointer<Atomic<UInt64>>, of loop: Int, _ isSet: Bool) {
        let word = unsafe words + loop / 64
        if isSet {
            unsafe word.pointee.bitwiseOr(Self.bit(loop), ordering: .acquiringAndReleasing)
        } else {
            unsafe word.pointee.bitwiseAnd(~Self.bit(loop), ordering: .acquiringAndReleasing)
        }
    }

    /// The topic's index in the loop's table; nil while the table does not know the topic.
    func localIndex(of loop: Int) -> Int? {
        let index = unsafe localIndices[loop]
        return index == Self.none ? nil : Int(index)
    }

    func setLocalIndex(of loop: Int, _ index: Int?) {
        unsafe localIndices[loop] = index.map { UInt32($0) } ?? Self.none
    }

    private static func bit(_ loop: Int) -> UInt64 { 1 << UInt64(loop % 64) }
}
