/// What one loop knows of a topic: its subscribers here, densely packed for the fan-out.
///
/// A visit may change it while walking through it; each of its accesses is over before the next begins, hence the
/// unchecked exclusivity of what the visit reads for every member.
@usableFromInline @safe package final class LocalTopic {
    @usableFromInline @safe package struct Member {
        /// Nil in a place whose member unsubscribed during a visit; it is filled when the visit is over.
        @usableFromInline let subscriber: UnsafeMutableRawPointer?
        let membership: UInt32
        /// Publishes with a stamp that is less than this above the topic's `floorBase` are not for the member. 0 is no
        /// floor, `muted` is above all.
        var floor: UInt32 = 0

        /// The floor of a member that no publish is for yet.
        static let muted = UInt32.max
    }

    let entry: TopicEntry
    @exclusivity(unchecked) @usableFromInline private(set) package var members: UnsafeMutablePointer<Member>?
    /// Places in use, empty ones too.
    @usableFromInline private(set) package var end = 0
    private var capacity = 0
    /// Members, those that are leaving too.
    private(set) var count = 0
    /// Members that are not leaving.
    var subscriberCount = 0
    /// Subscribers that are behind.
    var behindCount = 0
    /// The highest floor of any subscriber so far.
    private var highestFloor: UInt64 = 0
    /// Members that no publish is for yet.
    private(set) var mutedCount = 0
    /// Publishes with a stamp of this or more are for all members.
    var newestFloor: UInt64 { mutedCount > 0 ? .max : highestFloor }
    /// What members' floors, which have 32 bits, are counted from.
    private var floorBase: UInt64 = 0

    init(entry: TopicEntry) {
        self.entry = entry
        unsafe members = nil
    }

    // Members are trivial.
    deinit { unsafe members?.deallocate() }

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
        // Floors of one topic never fall: its retained publishes are counted upwards.
        if floor - floorBase >= UInt32.max { moveFloorBase(to: floor - UInt64(Int32.max)) }
        unmute(at: position)
        unsafe members![position].floor = UInt32(floor - floorBase)
        highestFloor = max(highestFloor, floor)
    }

    /// No publish is for a member until it is given a floor.
    func mute(at position: Int) {
        guard !isMuted(at: position) else { return }
        unsafe members![position].floor = Member.muted
        mutedCount += 1
    }

    func isMuted(at position: Int) -> Bool { self[position].floor == Member.muted }

    private func unmute(at position: Int) {
        guard isMuted(at: position) else { return }
        unsafe members![position].floor = 0
        mutedCount -= 1
    }

    /// Whether a publish with this stamp is for a member.
    func isFor(_ stamp: UInt64, _ member: Member) -> Bool {
        member.floor == 0 || member.floor != Member.muted && stamp >= floorBase + UInt64(member.floor)
    }

    /// Members with a floor below the base have none from now on: no frame that old is on its way any more, since more
    /// have been published after it than any lane has room for. O(members), once in 2³¹ retained publishes.
    private func moveFloorBase(to base: UInt64) {
        for position in 0..<end where !isMuted(at: position) {
            let floor = unsafe floorBase + UInt64(members![position].floor)
            unsafe members![position].floor = floor > base ? UInt32(floor - base) : 0
        }
        floorBase = base
    }

    /// Empties a place and leaves it empty, so that all other members keep their positions.
    func vacate(_ position: Int) {
        unmute(at: position)
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
