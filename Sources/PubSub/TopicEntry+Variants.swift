internal import Synchronization

/// Which other forms of a topic's frames its subscribers take: hints, so that a publisher makes what is likely to be of
/// use and nothing else. Whoever finds no variant takes the plain frame.
extension TopicEntry {
    /// Those that some subscriber of a loop takes, or took while others stayed: a set of bits. A recent value.
    package func variants(of loop: Int) -> UInt8 {
        precondition(loop >= 0 && loop < loopCount, "no such loop")
        return unsafe localVariants[loop].load(ordering: .relaxed)
    }

    /// The same of all loops. O(loops).
    package var variants: UInt8 { (0..<loopCount).reduce(0) { $0 | variants(of: $1) } }

    /// Loop `loop` alone.
    func addVariants(_ variants: UInt8, of loop: Int) {
        let old = self.variants(of: loop)
        if old | variants != old { unsafe localVariants[loop].store(old | variants, ordering: .relaxed) }
    }

    /// Loop `loop` alone, when its last subscriber has left.
    func clearVariants(of loop: Int) { unsafe localVariants[loop].store(0, ordering: .relaxed) }
}

extension SubscriptionTable {
    /// Who has just subscribed, right after `subscribe` returned `added`, takes these variants.
    package func noteVariants(_ variants: UInt8, of list: MembershipList) {
        self[Int(memberships[list.head].topic)].entry.addVariants(variants, of: loop)
    }
}
