/// Deadlines of small integer keys (connection slots), one per key: a hashed wheel whose lists run through the keys'
/// own entries, so that a timer costs 12 bytes and no allocation.
///
/// `schedule` and `cancel` are O(1). A deadline is rounded up to the tick: it fires never early and, if `advance` is
/// called in time, less than a tick late. One beyond a rotation (131 s) stays in its slot and is passed over once per
/// rotation. Belongs to its loop. A class, because `fire` may come back to it.
package final class TimerWheel {
    /// Milliseconds of a tick.
    package static let tick: UInt64 = 64
    private static let slotCount = 2_048
    /// The list of what `advance` is about to fire; all other lists are slots.
    private static let dueList = slotCount

    /// A key's place in a list. `tick` counts from the wheel's creation: 32 bits are 8.7 years.
    struct Entry {
        var next = none
        var previous = unlinked
        var tick: UInt32 = 0

        static let none = UInt32.max
        /// `previous` of an entry in no list. `listHead | list` is that of a list's first entry.
        static let unlinked = UInt32.max
        static let listHead: UInt32 = 1 << 31
    }

    private let origin: UInt64
    /// Everything up to this tick has fired.
    private var currentTick: UInt32 = 0
    private var entries: [Entry] = []
    /// The first entry of each list.
    private var heads = [UInt32](repeating: Entry.none, count: slotCount + 1)
    /// Bit s: slot s is not empty.
    private var occupied = [UInt64](repeating: 0, count: slotCount / 64)

    /// - Parameter now: milliseconds of a clock that does not go back; the same for all methods.
    package init(now: UInt64) {
        origin = now
    }

    /// Sets the key's only deadline. One that is past fires with the next tick, one more than 8 years ahead never.
    package func schedule(_ key: UInt32, at deadline: UInt64) {
        precondition(key < Entry.listHead, "keys have 31 bits")
        if Int(key) >= entries.count {
            entries.append(contentsOf: repeatElement(Entry(), count: Int(key) - entries.count + 1))
        }
        let tick = max(self.tick(roundingUp: deadline), currentTick + 1)
        if entries[Int(key)].previous != Entry.unlinked {
            if entries[Int(key)].tick == tick { return }
            unlink(key)
        }
        entries[Int(key)].tick = tick
        link(key, to: Self.slot(tick))
    }

    /// Takes a key's deadline back, if it has one.
    package func cancel(_ key: UInt32) {
        guard Int(key) < entries.count, entries[Int(key)].previous != Entry.unlinked else { return }
        unlink(key)
    }

    /// Fires the deadlines up to `now`, in the order of ticks, `limit` of them at most; what is left fires first the
    /// next time. A key has no deadline any more when it fires.
    ///
    /// `fire` may schedule and cancel any key: what it cancels does not fire, what it schedules fires in a later
    /// `advance`. It must not advance.
    package func advance(to now: UInt64, limit: Int = .max, _ fire: (UInt32) -> Void) {
        var left = limit
        fireDue(&left, fire)
        let target = tick(roundingDown: now)
        if hasDue || target <= currentTick { return }
        collectDue(until: target)
        currentTick = target
        fireDue(&left, fire)
    }

    private func fireDue(_ left: inout Int, _ fire: (UInt32) -> Void) {
        while hasDue, left > 0 {
            let key = heads[Self.dueList]
            unlink(key)
            left -= 1
            fire(key)
        }
    }

    /// Whether deadlines have come that `advance` has left.
    private var hasDue: Bool { heads[Self.dueList] != Entry.none }

    /// When to advance: at most a tick after the earliest deadline, or earlier where a slot holds only deadlines beyond
    /// a rotation; nil if there are none.
    package var nextDeadline: UInt64? {
        if hasDue { return origin + UInt64(currentTick) * Self.tick }
        guard let distance = distanceToOccupiedSlot(from: currentTick + 1) else { return nil }
        return origin + (UInt64(currentTick) + 1 + distance) * Self.tick
    }
}

extension TimerWheel {
    /// Moves what is due from its slots to the due list, visiting each occupied slot of the way once.
    private func collectDue(until target: UInt32) {
        var last = Entry.none
        var tick = UInt64(currentTick) + 1
        let end = min(UInt64(target), UInt64(currentTick) + UInt64(Self.slotCount))
        while let distance = distanceToOccupiedSlot(from: UInt32(truncatingIfNeeded: tick)) {
            tick += distance
            if tick > end { return }
            var key = heads[Self.slot(UInt32(tick))]
            while key != Entry.none {
                let next = entries[Int(key)].next
                if entries[Int(key)].tick <= target {
                    unlink(key)
                    link(key, behind: last)
                    last = key
                }
                key = next
            }
            tick += 1
        }
    }

    /// How many ticks after `tick` the first occupied slot comes: 0 ..< slotCount.
    private func distanceToOccupiedSlot(from tick: UInt32) -> UInt64? {
        let start = Self.slot(tick)
        for step in 0...occupied.count {
            let word = (start / 64 + step) % occupied.count
            var bits = occupied[word]
            if step == 0 { bits &= UInt64.max << UInt64(start % 64) }
            if bits != 0 {
                let slot = word * 64 + bits.trailingZeroBitCount
                return UInt64((slot - start + Self.slotCount) % Self.slotCount)
            }
        }
        return nil
    }

    private func link(_ key: UInt32, to list: Int) {
        let next = heads[list]
        entries[Int(key)].next = next
        entries[Int(key)].previous = Entry.listHead | UInt32(list)
        if next != Entry.none { entries[Int(next)].previous = key }
        heads[list] = key
        if list != Self.dueList { occupied[list / 64] |= 1 << UInt64(list % 64) }
    }

    /// Appends to the due list, whose last entry is `last`.
    private func link(_ key: UInt32, behind last: UInt32) {
        if last == Entry.none { return link(key, to: Self.dueList) }
        entries[Int(key)].next = Entry.none
        entries[Int(key)].previous = last
        entries[Int(last)].next = key
    }

    private func unlink(_ key: UInt32) {
        let entry = entries[Int(key)]
        if entry.next != Entry.none { entries[Int(entry.next)].previous = entry.previous }
        if entry.previous & Entry.listHead == 0 {
            entries[Int(entry.previous)].next = entry.next
        } else {
            let list = Int(entry.previous & ~Entry.listHead)
            heads[list] = entry.next
            if entry.next == Entry.none && list != Self.dueList {
                occupied[list / 64] &= ~(1 << UInt64(list % 64))
            }
        }
        entries[Int(key)].previous = Entry.unlinked
    }

    private static func slot(_ tick: UInt32) -> Int { Int(tick) & (slotCount - 1) }

    private func tick(roundingDown time: UInt64) -> UInt32 {
        // The last tick is left out: `currentTick + 1` exists, and a deadline put there is never reached.
        UInt32(min((max(time, origin) - origin) / Self.tick, UInt64(UInt32.max - 1)))
    }

    private func tick(roundingUp time: UInt64) -> UInt32 {
        let distance = max(time, origin) - origin
        let ticks = distance / Self.tick + (distance % Self.tick == 0 ? 0 : 1)
        return UInt32(min(ticks, UInt64(UInt32.max)))
    }
}
