/// Whether what one sender sends comes to one receiver whole, once, and in order.
///
/// Numbers are compared round the circle of `Stamp.sequences`, so that a load may go on for days.
package struct SequenceCheck: Equatable, Sendable {
    /// The next one that has not been seen; 0 at first.
    package private(set) var next: UInt32
    /// Which of the last 64 have come: the lowest bit is the one before `next`. What was before the first is not
    /// awaited.
    private var seen = UInt64.max

    package init(next: UInt32 = 0) { self.next = next }

    package enum Verdict: Equatable, Sendable {
        case inOrder
        /// So many in front of it have not come. If one does come later, it is `late`.
        case gap(UInt32)
        /// One that was missing: it was overtaken. What is more than 64 behind is taken for such a one.
        case late
        /// One that had come already.
        case duplicate
    }

    @inline(__always)
    package mutating func receive(_ sequence: UInt32) -> Verdict {
        if sequence == next {
            next = (next + 1) & (Stamp.sequences - 1)
            seen = seen << 1 | 1
            return .inOrder
        }
        return receiveOutOfOrder(sequence)
    }

    private mutating func receiveOutOfOrder(_ sequence: UInt32) -> Verdict {
        let distance = (sequence &- next) & (Stamp.sequences - 1)
        if distance < Stamp.sequences / 2 {
            next = (sequence + 1) & (Stamp.sequences - 1)
            // Shifts by more than the width leave nothing.
            seen = seen << (distance + 1) | 1
            return .gap(distance)
        }
        let age = (next &- 1 &- sequence) & (Stamp.sequences - 1)
        guard age < 64 else { return .late }
        let bit = UInt64(1) << age
        guard seen & bit == 0 else { return .duplicate }
        seen |= bit
        return .late
    }
}
