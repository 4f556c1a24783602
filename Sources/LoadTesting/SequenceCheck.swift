/// Whether what one sender sends comes to one receiver whole, once, and in order.
///
/// Numbers are compared round the circle of `Stamp.sequences`, so that a load may go on for days.
package struct SequenceCheck: Equatable, Sendable {
    /// The next one that has not been seen; 0 at first.
    package private(set) var next: UInt32

    package init(next: UInt32 = 0) { self.next = next }

    package enum Verdict: Equatable, Sendable {
        case inOrder
        /// So many in front of it have not come. If one does come later, it is `late`.
        case gap(UInt32)
        /// An earlier one: a duplicate, or one that was overtaken.
        case late
    }

    package mutating func receive(_ sequence: UInt32) -> Verdict {
        let distance = (sequence &- next) & (Stamp.sequences - 1)
        if distance == 0 {
            next = (next + 1) & (Stamp.sequences - 1)
            return .inOrder
        }
        guard distance < Stamp.sequences / 2 else { return .late }
        next = (sequence + 1) & (Stamp.sequences - 1)
        return .gap(distance)
    }
}
