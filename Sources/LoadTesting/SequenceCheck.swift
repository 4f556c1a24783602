/// Whether what one sender sends comes to one receiver whole, once, and in order.
///
/// Numbers are compared round the circle of `Stamp.sequences`, so that a load may go on for days.
package struct SequenceCheck: Equatable, Sendable {
    /// The number that is to come next; 0 at first.
    package private(set) var next: UInt32
    /// Which of the last 64 numbers have come; the lowest bit stands for the one before `next`. Numbers before the
    /// first count as come.
    private var seen = UInt64.max

    package init(next: UInt32 = 0) { self.next = next }

    package enum Verdict: Equatable, Sendable {
        case inOrder
        /// So many numbers in front of this one have not come. One of them that comes later is `late`.
        case gap(UInt32)
        /// A number that was missing, since others have overtaken it. One that is more than 64 behind is taken for it.
        case late
        /// A number that had come already.
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
