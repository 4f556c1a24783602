import Reactor
import WebSocketProtocol

extension Session {
    /// Beyond this much in the cork, or behind it, a send reports backpressure.
    static let corkWatermark = 64 << 10
    /// Bytes that control frames may have waiting in front of messages.
    static let controlRoom = 64 << 10
    /// From this size on, a received message is echoed from the receive buffer instead of being copied.
    static let borrowThreshold = 4 << 10

    /// Queues one message for this socket. Costs a copy of the payload into the cork.
    func send(_ payload: UnsafeRawBufferPointer, as opcode: Opcode, compress: Bool? = nil) -> SendResult {
        settleFanOut()
        let count = payload.count
        guard count < Self.borrowThreshold, isOpen, !flags.contains(.backlogged),
            traits.isDisjoint(with: [.masks, .deflates])
        else { return unsafe sendAny(payload, as: opcode, compress: compress) }
        // Nearly every message goes this way.
        let frame = unsafe OutgoingFrame(opcode, payload)
        let room = withKind { connection.reserve(frame.byteCount, below: $0.backpressureLimit) }
        guard let start = unsafe room.start else { return unsafe sendAny(payload, as: opcode, compress: compress) }
        // Safe: the room is for exactly the frame.
        unsafe frame.write(to: start)
        withKind { unsafe $0.counters.pointee.messagesOut += 1 }
        guard !room.isBlocked, room.queuedByteCount + count <= Self.corkWatermark else {
            oweDrain()
            return .backpressure
        }
        return .sent(bytes: count)
    }

    /// Queues a message that is large, or cannot simply be written into the cork.
    @inline(never)
    private func sendAny(_ payload: UnsafeRawBufferPointer, as opcode: Opcode, compress: Bool?) -> SendResult {
        let connection = connection
        // A connection that is over, of which the socket hears at the turn's end, throws away what it is given.
        guard isOpen, !connection.isClosing else { return refused(\.dropsClosed) }
        let queued = queuedByteCount
        guard queuedMemory < withKind({ $0.backpressureLimit }) else { return unsafe refusedAtLimit(payload, opcode) }
        if traits.contains(.deflates), Self.isToBeDeflated(payload.count, compress) {
            return unsafe sendDeflated(payload, as: opcode, behind: queued)
        }
        let isLent = unsafe payload.count >= Self.borrowThreshold && lend(payload, as: opcode)
        if !isLent { unsafe queueFrame(opcode, payload) }
        withKind { unsafe $0.counters.pointee.messagesOut += 1 }
        if connection.isBlocked || queued + payload.count > Self.corkWatermark {
            oweDrain()
            return .backpressure
        }
        return .sent(bytes: payload.count)
    }

    /// The most bytes that a control frame may carry (RFC 6455 §5.5).
    static let longestControlPayload = 125

    /// Queues a ping or a pong of the user's, cut to what it may carry.
    func sendCut(_ opcode: Opcode, _ payload: UnsafeRawBufferPointer) -> SendResult {
        guard payload.count > Self.longestControlPayload else { return unsafe sendControl(opcode, payload) }
        loop.report(
            .controlPayload, "a ping or pong of \(payload.count) bytes was cut to \(Self.longestControlPayload)",
            metadata)
        return unsafe sendControl(opcode, UnsafeRawBufferPointer(rebasing: payload[..<Self.longestControlPayload]))
    }

    private func sendControl(_ opcode: Opcode, _ payload: UnsafeRawBufferPointer) -> SendResult {
        guard isOpen, !connection.isClosing else { return .dropped }
        guard unsafe queueControl(opcode, payload) else { return refused(\.dropsDirect) }
        guard !connection.isBlocked else {
            oweDrain()
            return .backpressure
        }
        return .sent(bytes: payload.count)
    }

    /// Queues a control frame where nobody asks what has become of it, so that no `drain` is owed.
    ///
    /// What the socket is about to take leaves in order. Once more than that waits, a control frame goes in front of
    /// it, behind those before it (RFC 6455 §5.5.2: as soon as is practical; §5.4: never inside of a frame).
    /// - Parameter isBounded: whether the frame needs room in `controlRoom`: so do those that a peer can cause.
    /// - Returns: false if there is no room.
    @discardableResult
    func queueControl(_ opcode: Opcode, _ payload: UnsafeRawBufferPointer, isBounded: Bool = true) -> Bool {
        settleFanOut()
        guard isOpen else { return false }
        let connection = connection
        guard connection.isBlocked || queuedByteCount > Self.corkWatermark else {
            unsafe queueFrame(opcode, payload)
            connection.keepInFront()
            return true
        }
        guard !isBounded || connection.urgentByteCount < Self.controlRoom else { return false }
        connection.sendUrgent(unsafe OutgoingFrame(opcode, payload, mask: nextMask()))
        return true
    }

    /// Remembers that `drain` is owed, and asks the reactor for the moment.
    func oweDrain() {
        flags.insert(.drainDue)
        connection.notifyWhenDrained()
    }

    /// - Parameter counter: what counts it, by whose policy it is.
    func refusedAtLimit(_ counter: WritableKeyPath<LoopCounters, UInt64> = \.dropsDirect) -> SendResult {
        if withKind({ $0.closeOnBackpressureLimit }) {
            close(.tryAgainLater, reason: "backpressure limit", isOwn: true)
        }
        return refused(counter)
    }

    private func refusedAtLimit(_ payload: UnsafeRawBufferPointer, _ opcode: Opcode) -> SendResult {
        let result = refusedAtLimit()
        unsafe reportDrop(payload, as: opcode)
        return result
    }

    private func refused(_ reason: WritableKeyPath<LoopCounters, UInt64>) -> SendResult {
        withKind { unsafe $0.counters.pointee[keyPath: reason] += 1 }
        return .dropped
    }

    /// Sends a message from the receive buffer, if it lies there whole. Once only: that overwrites its header.
    private func lend(_ payload: UnsafeRawBufferPointer, as opcode: Opcode) -> Bool {
        guard let start = payload.baseAddress, unsafe loop.lendable == start,
            !flags.contains(.backlogged), !traits.contains(.masks)
        else { return false }
        unsafe loop.lendable = nil
        guard let frame = unsafe OutgoingFrame(opcode, payload).writtenInPlace() else { return false }
        return unsafe connection.sendBorrowed(frame)
    }
}
