internal import Synchronization

/// Which variants of a topic's frames its subscribers take: hints, so that a publisher makes what is likely to be of
/// use and nothing else. Whoever finds no variant takes the plain frame.
extension TopicEntry {
    /// The variants that some subscriber of a loop takes, or took while others stayed: a set of bits. A recent value.
    package func variants(of loop: Int) -> UInt8 {
        precondition(loop >= 0 && loop < loopCount, "no such loop")
        return unsafe localVariants[loop].load(ordering: .relaxed)
    }

    /// The variants that some subscriber of any loop takes: a set of bits, a recent value. O(loops).
    package var variants: UInt8 { (0..<loopCount).reduce(0) { $0 | variants(of: $1) } }

    /// Adds variants. Called by loop `loop` alone.
    func addVariants(_ variants: UInt8, of loop: Int) {
        let old = self.variants(of: loop)
        if old | variants != old { unsafe localVariants[loop].store(old | variants, ordering: .relaxed) }
    }

    /// Forgets all variants. Called by loop `loop` alone, when its last member has left.
    func clearVariants(of loop: Int) { unsafe localVariants[loop].store(0, ordering: .relaxed) }
}

extension SubscriptionTable {
    /// Notes which variants a new subscriber takes. Called right after `subscribe` returned `added`.
    package func noteVariants(_ variants: UInt8, of list: MembershipList) {
        self[Int(memberships[list.head].topic)].entry.addVariants(variants, of: loop)
    }
}
