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
        /// Nobody waits for the answer, as of a close.
        case unanswered
        case accept
        case receive
        /// A send that is over with the wait that begins it, and answers only when it fell short.
        case batchedSend
        case send
        /// Another thread ended the wait.
        case wakeUp
        /// Another loop's driver ended the wait.
        case notification
        /// An outbound connection.
        case connect
        /// This loop ends another one's wait; answered only when it could not.
        case notify
        /// A receive is asked to end; answered only when there was none.
        case cancel
        /// An accept is asked to end; answered only when there was none.
        case acceptCancel
        /// A driver's own business, which no loop hears of.
        case driver
    }

    package var operation: Operation { Operation(rawValue: UInt8(truncatingIfNeeded: rawValue >> 56)) ?? .unanswered }
    package var generation: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 32) & Self.generationMask }
    package var slot: UInt32 { UInt32(truncatingIfNeeded: rawValue) }
}
