/// Names one connection of a loop for logs and tables; no other has the same until 2³² have used its slot.
public struct ConnectionID: Hashable, Sendable, CustomStringConvertible {
    let loop: Int
    let slot: UInt32
    let generation: UInt32

    /// Loop, slot and generation: `0:17:3`.
    public var description: String { "\(loop):\(slot):\(generation)" }
}
