import Reactor
import WebSocketProtocol

extension Session {
    /// Beyond this much in the cork, or behind it, a send reports backpressure.
    static let corkWatermark = 64 << 10
    /// Room that control frames have of their own.
    static let controlRoom = 64 << 10
    /// From this size on, a received message is echoed from the receive buffer instead of being copied.
    static let borrowThreshold = 4 << 10

    /// Sockets whose messages do not simply go into the cork.
    private static let special: SessionFlags = [.closing, .closed, .backlogged, .masks, .deflates]

    /// Queues one message for this socket. Costs a copy of the payload into the cork.
    func send(_ payload: UnsafeRawBufferPointer, as opcode: Opcode, compress: Bool? = nil) -> SendResult {
        settleFanOut()
        let count = payload.count
        guard count < Self.borrowThreshold, flags.isDisjoint(with: Self.special) else {
            return unsafe sendAny(payload, as: opcode, compress: compress)
        }
        // The way of nearly every message.
        let header = FrameHeader(opcode: opcode, payloadLength: count)
        let room = withKind { connection.reserve(header.encodedLength + count, below: $0.backpressureLimit) }
        guard let start = unsafe room.start else { return unsafe sendAny(payload, as: opcode, compress: compress) }
        // Safe: the room is for exactly the header and the payload.
        unsafe header.write(to: start)
        if let bytes = payload.baseAddress {
            unsafe (start + header.encodedLength).copyMemory(from: bytes, byteCount: count)
        }
        withKind { unsafe $0.counters.pointee.messagesOut += 1 }
        guard !room.isBlocked, room.queuedByteCount + count <= Self.corkWatermark else {
            oweDrain()
            return .backpressure
        }
        return .sent(bytes: count)
    }

    /// Messages that are large, or that something stands in the way of.
    @inline(never)
    private func sendAny(_ payload: UnsafeRawBufferPointer, as opcode: Opcode, compress: Bool?) -> SendResult {
        guard isOpen else { return refused(\.dropsClosed) }
        let connection = connection
        let queued = queuedByteCount
        guard queuedMemory < withKind({ $0.backpressureLimit }) else { return unsafe refusedAtLimit(payload, opcode) }
        if flags.contains(.deflates), Self.isToBeDeflated(payload.count, compress) {
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

    /// A ping or a pong of the user's: at most 125 bytes, with room of its own.
    func sendControl(_ opcode: Opcode, _ payload: UnsafeRawBufferPointer) -> SendResult {
        guard isOpen else { return .dropped }
        guard unsafe queueControl(opcode, payload) else { return refused(\.dropsAtLimit) }
        guard !connection.isBlocked else {
            oweDrain()
            return .backpressure
        }
        return .sent(bytes: payload.count)
    }

    /// The same where nobody asks what has become of it, so that no `drain` is owed. False: there is no room.
    ///
    /// What the socket is about to take leaves in order. Once more than that waits, a control frame goes in front of
    /// it, behind those before it (RFC 6455 §5.5.2: as soon as is practical; §5.4: never inside of a frame).
    /// - Parameter isBounded: it has to find room: those that a peer can cause.
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
        if flags.contains(.masks) {
            unsafe connection.sendUrgentMaskedFrame(opcode, payload, key: loop.maskingKeys.next())
        } else {
            unsafe connection.sendUrgentFrame(opcode, payload)
        }
        return true
    }

    /// Remembers that `drain` is owed, and asks the reactor for the moment.
    func oweDrain() {
        flags.insert(.drainDue)
        connection.notifyWhenDrained()
    }

    func refusedAtLimit() -> SendResult {
        if withKind({ $0.closeOnBackpressureLimit }) {
            close(.tryAgainLater, reason: "backpressure limit", isOwn: true)
        }
        return refused(\.dropsAtLimit)
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

    /// Sends a message that lies whole in the receive buffer from there. The client's header, with its mask, is longer
    /// than the server's, so there is always room for the latter in front of the payload. Once per message: the header
    /// is overwritten.
    private func lend(_ payload: UnsafeRawBufferPointer, as opcode: Opcode) -> Bool {
        guard let start = payload.baseAddress, unsafe loop.lendable == start,
            flags.isDisjoint(with: [.backlogged, .masks])
        else {
            return false
        }
        unsafe loop.lendable = nil
        let header = FrameHeader(opcode: opcode, payloadLength: payload.count)
        let length = header.encodedLength
        let frame = unsafe UnsafeMutableRawPointer(mutating: start) - length
        unsafe header.write(to: frame)
        return unsafe connection.sendBorrowed(UnsafeRawBufferPointer(start: frame, count: length + payload.count))
    }
}

extension Connection {
    /// Writes one unfragmented, unmasked frame (RFC 6455 §5.2) at the end of the cork.
    func sendFrame(_ opcode: Opcode, _ payload: UnsafeRawBufferPointer) {
        let header = FrameHeader(opcode: opcode, payloadLength: payload.count)
        let length = header.encodedLength
        // Safe: the cork gives room for exactly the header and the payload.
        unsafe send(count: length + payload.count) { room in
            unsafe header.write(to: room)
            if let bytes = payload.baseAddress {
                unsafe (room + length).copyMemory(from: bytes, byteCount: payload.count)
            }
        }
    }

    /// The same in front of what waits.
    func sendUrgentFrame(_ opcode: Opcode, _ payload: UnsafeRawBufferPointer) {
        let header = FrameHeader(opcode: opcode, payloadLength: payload.count)
        let length = header.encodedLength
        // Safe: there is room for exactly the header and the payload.
        unsafe sendUrgent(count: length + payload.count) { room in
            unsafe header.write(to: room)
            if let bytes = payload.baseAddress {
                unsafe (room + length).copyMemory(from: bytes, byteCount: payload.count)
            }
        }
    }
}
