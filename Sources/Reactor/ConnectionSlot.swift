/// A place in a loop's slab. Keeping one is safe as long as its loop runs: the memory stays, though it may come to hold
/// another connection once the handler was told `closed`.
@safe
@usableFromInline
package struct ConnectionSlot: Hashable {
    @usableFromInline let address: UnsafeMutablePointer<ConnectionState>

    init(_ address: UnsafeMutablePointer<ConnectionState>) { unsafe self.address = unsafe address }

    @usableFromInline package static func == (left: ConnectionSlot, right: ConnectionSlot) -> Bool {
        unsafe left.address == right.address
    }

    @usableFromInline package func hash(into hasher: inout Hasher) { unsafe hasher.combine(address) }

    /// In place: no copy, no reference counting, no exclusivity check. The slab frees no slot while its loop lives.
    @inline(__always)
    var state: ConnectionState {
        unsafeAddress { unsafe UnsafePointer(address) }
        nonmutating unsafeMutableAddress { unsafe address }
    }

    /// What names an operation on this connection in its completion.
    @inline(__always)
    func token(_ operation: Token.Operation) -> Token {
        Token(operation, generation: state.generation, slot: state.slot)
    }
}
