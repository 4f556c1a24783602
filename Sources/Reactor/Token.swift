/// What a completion belongs to: an operation on one connection (or listener) in one life of its slot.
package struct Token: Hashable, Sendable, BitwiseCopyable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// - Parameter generation: its lowest 24 bits are kept.
    @inline(__always)
    package init(_ operation: Operation, generation: UInt32 = 0, slot: UInt32 = 0) {
        rawValue = UInt64(operation.rawValue) << 56 | UInt64(generation & Self.generationMask) << 32 | UInt64(slot)
    }

    package static let generationMask: UInt32 = 0xFF_FFFF

    package enum Operation: UInt8, Sendable {
        /// Nobody waits for the answer: cancel, close.
        case unanswered
        case accept
        /// Into small buffers.
        case receive
        /// Into large ones: a completion names its buffer, but not the group it is of.
        case receiveLarge
        /// A send that is over when its submission is, and answers only when it fell short.
        case batchedSend
        case send
        /// Another thread rang the eventfd.
        case wakeUp
        /// Another loop rang this ring.
        case notification
        /// An outbound connection.
        case connect
        /// This loop rang another one's ring; answered only when it could not.
        case notify
        /// A receive was asked to end; answered only when there was none.
        case cancel
        /// An accept was asked to end; answered only when there was none.
        case acceptCancel
        /// A connection's place in the ring's table of files is to be empty; answered only when it is not.
        case fileRemoval
    }

    package var operation: Operation { Operation(rawValue: UInt8(truncatingIfNeeded: rawValue >> 56)) ?? .unanswered }
    package var generation: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 32) & Self.generationMask }
    package var slot: UInt32 { UInt32(truncatingIfNeeded: rawValue) }
}
