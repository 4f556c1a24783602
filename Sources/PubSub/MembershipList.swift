/// The topics of one subscriber, as its connection keeps them: 4 bytes, the head of a list in its loop's table.
///
/// It belongs to the table that filled it, and is to be emptied by `unsubscribeAll` before it is thrown away.
package struct MembershipList: Sendable {
    var head: UInt32

    package static let empty = MembershipList(head: Membership.none)

    package init() { self = .empty }

    init(head: UInt32) { self.head = head }

    package var isEmpty: Bool { head == Membership.none }
}

/// One subscriber in one topic: 16 bytes, in two lists at once.
struct Membership {
    /// The topic's index in the table.
    var topic: UInt32
    /// Where among the topic's members the subscriber stands.
    var position: UInt32
    /// The subscriber's next older membership.
    var next: UInt32
    /// The subscriber's next newer membership; the newest of all has the length of the list here instead.
    var previousOrCount: UInt32

    /// The index that stands for no membership.
    static let none = UInt32.max
}

/// A table's memberships, in slots that are used again. Their memory is given back when all are free.
struct MembershipSlab {
    private var slots: [Membership] = []
    /// The first of the free slots, which are linked by `next`.
    private var firstFree = Membership.none
    /// Memberships.
    private(set) var count = 0

    /// Slots in memory, free ones too.
    var slotCount: Int { slots.count }

    subscript(index: UInt32) -> Membership {
        get { slots[Int(index)] }
        set { slots[Int(index)] = newValue }
    }

    func count(of list: MembershipList) -> Int { list.isEmpty ? 0 : Int(self[list.head].previousOrCount) }

    /// Puts a membership at the head of the list and returns its index. O(1).
    mutating func insert(topic: Int, position: Int, into list: inout MembershipList) -> UInt32 {
        let length = UInt32(count(of: list)) + 1
        let membership = Membership(
            topic: UInt32(topic), position: UInt32(position), next: list.head, previousOrCount: length)
        let index: UInt32
        if firstFree != Membership.none {
            index = firstFree
            firstFree = self[index].next
            self[index] = membership
        } else {
            index = UInt32(slots.count)
            slots.append(membership)
        }
        if !list.isEmpty { self[list.head].previousOrCount = index }
        list.head = index
        count += 1
        return index
    }

    /// Takes a membership out of its list and frees its slot. O(1).
    mutating func remove(_ index: UInt32, from list: inout MembershipList) {
        let removed = self[index]
        let shorter = UInt32(count(of: list)) - 1
        if index == list.head {
            list.head = removed.next
        } else {
            self[removed.previousOrCount].next = removed.next
            if removed.next != Membership.none { self[removed.next].previousOrCount = removed.previousOrCount }
        }
        if !list.isEmpty { self[list.head].previousOrCount = shorter }
        self[index].next = firstFree
        firstFree = index
        count -= 1
        if count == 0 { self = MembershipSlab() }
    }
}
