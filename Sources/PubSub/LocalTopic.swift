/// What one loop knows of a topic: its subscribers here, densely packed for the fan-out.
///
/// A visit may change it while walking through it; each of its accesses is over before the next begins, hence the
/// unchecked exclusivity of what the visit reads for every member.
@usableFromInline @safe package final class LocalTopic {
    /// nil: unsubscribed during a visit; the place is filled when the visit is over.
    @usableFromInline @safe package struct Member {
        @usableFromInline let subscriber: UnsafeMutableRawPointer?
        let membership: UInt32
        /// Lowest 32 bits of the floor: publishes with a lesser stamp are not for it.
        var floor: UInt32 = 0

        /// Asked only about stamps that were given shortly before another subscriber's floor: 32 bits suffice.
        func isFor(_ stamp: UInt64) -> Bool { Int32(bitPattern: UInt32(truncatingIfNeeded: stamp) &- floor) >= 0 }
    }

    let entry: TopicEntry
    @exclusivity(unchecked) @usableFromInline private(set) package var members: UnsafeMutablePointer<Member>?
    /// Places in use, empty ones too.
    @usableFromInline private(set) package var end = 0
    private var capacity = 0
    /// Subscribers.
    private(set) var count = 0
    /// How many of them the last fan-out found behind.
    var behindCount = 0
    /// The highest floor of any subscriber so far.
    private(set) var newestFloor: UInt64 = 0

    init(entry: TopicEntry) {
        self.entry = entry
        unsafe members = nil
    }

    deinit {
        // Members are trivial.
        unsafe members?.deallocate()
    }

    subscript(position: Int) -> Member {
        precondition(position >= 0 && position < end, "no such member")
        return unsafe members![position]
    }

    func append(_ subscriber: UnsafeMutableRawPointer, membership: UInt32) {
        if end == capacity { reallocate(capacity: max(2, capacity * 2)) }
        // There is room behind `end` now.
        unsafe (members! + end).initialize(to: Member(subscriber: subscriber, membership: membership))
        end += 1
        count += 1
    }

    func setFloor(_ floor: UInt64, at position: Int) {
        precondition(position >= 0 && position < end, "no such member")
        unsafe members![position].floor = UInt32(truncatingIfNeeded: floor)
        newestFloor = max(newestFloor, floor)
    }

    /// Empties a place and leaves it: members keep their positions.
    func vacate(_ position: Int) {
        precondition(position >= 0 && position < end, "no such member")
        unsafe members![position] = Member(subscriber: nil, membership: Membership.none)
        count -= 1
    }

    /// Fills an empty place with the last member. Returns the membership that has moved there, if any. O(1), with the
    /// empty places at the end that it drops on the way.
    func fill(_ position: Int) -> UInt32? {
        while end > 0, unsafe members![end - 1].subscriber == nil { end -= 1 }
        defer { shrinkIfSparse() }
        guard position < end else { return nil }
        assert(unsafe members![position].subscriber == nil, "the place is taken")
        end -= 1
        unsafe members![position] = members![end]
        return unsafe members![position].membership
    }

    private func shrinkIfSparse() {
        if end == 0 {
            unsafe members?.deallocate()
            unsafe members = nil
            capacity = 0
        } else if capacity > 16 && end <= capacity / 4 {
            reallocate(capacity: capacity / 2)
        }
    }

    private func reallocate(capacity newCapacity: Int) {
        let moved = UnsafeMutablePointer<Member>.allocate(capacity: newCapacity)
        if let members = unsafe members {
            unsafe moved.moveInitialize(from: members, count: end)
            unsafe members.deallocate()
        }
        unsafe members = moved
        capacity = newCapacity
    }
}
