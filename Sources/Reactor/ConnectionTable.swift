/// The slab of a loop's connections: stable addresses, reused last in, first out.
struct ConnectionTable: ~Copyable {
    private static let slotsPerBlock = 256

    @LoopOwned private var blocks: [ConnectionBlock] = []
    @LoopOwned private var freeSlots: [UInt32] = []
    @LoopOwned private(set) var count = 0

    deinit {
        for block in blocks { unsafe block.states.deallocate() }
        _blocks.deallocate()
        _freeSlots.deallocate()
        _count.deallocate()
    }

    /// A slot for a new connection, with a generation that no completion under way can carry.
    func insert(loop: EventLoop) -> ConnectionSlot {
        if freeSlots.isEmpty { addBlock(loop: loop) }
        count += 1
        return self[freeSlots.removeLast()]
    }

    /// Ends this life of the slot.
    func remove(_ connection: ConnectionSlot) {
        let slot = connection.state.slot
        let generation = connection.state.generation &+ 1
        connection.state = connection.state.withLoop { ConnectionState(loop: $0, slot: slot) }
        connection.state.generation = generation
        freeSlots.append(slot)
        count -= 1
    }

    /// The connection that a completion belongs to; nil when that one is gone.
    @inline(__always)
    func find(_ token: Token) -> ConnectionSlot? {
        let connection = self[token.slot]
        return connection.state.generation & Token.generationMask == token.generation
            && connection.state.flags.contains(.open) ? connection : nil
    }

    @inline(__always)
    subscript(slot: UInt32) -> ConnectionSlot {
        let block = blocks[Int(slot) / Self.slotsPerBlock]
        return unsafe ConnectionSlot(block.states + Int(slot) % Self.slotsPerBlock)
    }

    /// Every connection in use. The body may end connections.
    func forEach(_ body: (ConnectionSlot) -> Void) {
        for slot in 0..<UInt32(blocks.count * Self.slotsPerBlock) where self[slot].state.flags.contains(.open) {
            body(self[slot])
        }
    }

    private func addBlock(loop: EventLoop) {
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
