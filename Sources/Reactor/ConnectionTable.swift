/// The slab of a loop's connections: stable addresses, reused last in, first out.
struct ConnectionTable: ~Copyable {
    private static let slotsPerBlock = 256

    private var blocks: [ConnectionBlock] = []
    private var freeSlots: [UInt32] = []
    private(set) var count = 0

    deinit {
        for block in blocks { unsafe block.states.deallocate() }
    }

    /// A slot for a new connection, with a generation that no completion under way can carry.
    mutating func insert(loop: EventLoop) -> ConnectionSlot {
        if freeSlots.isEmpty { addBlock(loop: loop) }
        count += 1
        return self[freeSlots.removeLast()]
    }

    mutating func remove(_ connection: ConnectionSlot) {
        connection.state.move(to: .free)
        let (slot, generation) = (connection.state.slot, connection.state.generation &+ 1)
        connection.state = connection.state.withLoop { ConnectionState(loop: $0, slot: slot, generation: generation) }
        freeSlots.append(slot)
        count -= 1
    }

    /// The connection that a completion belongs to; nil if it is gone.
    @inline(__always)
    func find(_ token: Token) -> ConnectionSlot? {
        let connection = self[token.slot]
        return connection.state.generation & Token.generationMask == token.generation
            && connection.state.phase != .free ? connection : nil
    }

    @inline(__always)
    subscript(slot: UInt32) -> ConnectionSlot {
        let block = blocks[Int(slot) / Self.slotsPerBlock]
        return unsafe ConnectionSlot(block.states + Int(slot) % Self.slotsPerBlock)
    }

    /// Every connection in use. The body may end connections, but open none.
    func forEach(_ body: (ConnectionSlot) -> Void) {
        for slot in 0..<UInt32(blocks.count * Self.slotsPerBlock) where self[slot].state.phase != .free {
            body(self[slot])
        }
    }

    private mutating func addBlock(loop: EventLoop) {
        let base = UInt32(blocks.count * Self.slotsPerBlock)
        let states = UnsafeMutablePointer<ConnectionState>.allocate(capacity: Self.slotsPerBlock)
        for offset in 0..<Self.slotsPerBlock {
            unsafe (states + offset).initialize(to: ConnectionState(loop: loop, slot: base + UInt32(offset)))
        }
        unsafe blocks.append(ConnectionBlock(states: states))
        freeSlots.append(contentsOf: (base..<base + UInt32(Self.slotsPerBlock)).reversed())
    }
}

@safe
private struct ConnectionBlock {
    let states: UnsafeMutablePointer<ConnectionState>
}
