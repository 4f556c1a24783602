/// The way of received bytes: `read` sees a receive buffer, `offer` decides whether its bytes are for now, `hand` gives
/// them to the handler. What the handler leaves, or cannot have now, is held: `EventLoop+HeldInput.swift`.
extension EventLoop {
    /// Input thrown away behind our FIN before the connection is cut.
    static let discardedByteLimit: UInt32 = 1 << 20

    func read(_ buffer: ReceiveBuffer, count: Int, of connection: ConnectionSlot) {
        let bytes = unsafe UnsafeMutableRawBufferPointer(rebasing: driver.memory(of: buffer)[..<count])
        statistics.bytesIn.add(count)
        if connection.state.tls != nil {
            unsafe receiveRecords(UnsafeRawBufferPointer(bytes), on: connection)
            sendRecords(connection)
        } else {
            unsafe offer(bytes, of: buffer, to: connection)
        }
        if !state.loans.isLent(buffer) { driver.giveBack(buffer) }
    }

    /// - Parameter buffer: what the bytes lie in, for sends that borrow from it; nil if they were decrypted.
    func offer(_ bytes: UnsafeMutableRawBufferPointer, of buffer: ReceiveBuffer?, to connection: ConnectionSlot) {
        let count = bytes.count
        if connection.state.phase >= .closing {
            discard(count, from: connection)
        } else if hasSpentTurn(connection, buffer?.size ?? .large) {
            unsafe hold(UnsafeRawBufferPointer(bytes), for: connection)
            markReady(connection)
        } else if unsafe connection.state.flags.contains(.paused) || connection.state.heldInput != nil {
            unsafe hold(UnsafeRawBufferPointer(bytes), for: connection)
            // A handler that stopped for its budget goes on next turn, however much comes meanwhile.
            if connection.state.flags.isDisjoint(with: [.paused, .ready]) { handHeldInput(to: connection) }
        } else {
            let start = UInt(bitPattern: bytes.baseAddress!)
            if let buffer {
                let slot = connection.state.slot
                state.lentInput = LentInput(slot: slot, buffer: buffer, start: start, end: start + UInt(count))
            }
            let consumed = unsafe hand(bytes, to: connection)
            state.lentInput = nil
            if consumed < count {
                unsafe hold(UnsafeRawBufferPointer(rebasing: bytes[consumed...]), for: connection)
            }
        }
    }

    func hand(_ bytes: UnsafeMutableRawBufferPointer, to connection: ConnectionSlot) -> Int {
        countHanded(bytes.count, to: connection)
        var span = unsafe bytes.mutableBytes
        let consumed = unsafe handler.received(&span, on: Connection(connection))
        precondition(consumed >= 0 && consumed <= bytes.count, "a handler consumed more than it was given")
        return consumed
    }

    /// Whether this connection has had its share of the turn: what else has come waits for the next one, so that one
    /// flood does not keep the loop from all others. Large buffers hold few frames, and so may bring more bytes.
    private func hasSpentTurn(_ connection: ConnectionSlot, _ size: ReceiveBufferSize) -> Bool {
        connection.state.handedTurn == turn
            && connection.state.handedByteCount >= (size == .large ? 256 << 10 : 32 << 10)
    }

    private func countHanded(_ count: Int, to connection: ConnectionSlot) {
        if connection.state.handedTurn != turn {
            connection.state.handedTurn = turn
            connection.state.handedByteCount = 0
        }
        connection.state.handedByteCount &+= UInt32(truncatingIfNeeded: count)
    }

    private var turn: UInt32 { UInt32(truncatingIfNeeded: statistics.turns.value) }

    func discard(_ count: Int, from connection: ConnectionSlot) {
        let total = connection.state.discardedByteCount.addingReportingOverflow(UInt32(clamping: count))
        connection.state.discardedByteCount = total.partialValue
        if total.overflow || total.partialValue > Self.discardedByteLimit { end(connection, .local) }
    }

    // MARK: the peer's FIN

    func inputEnded(_ connection: ConnectionSlot) {
        if connection.state.input == .open { connection.state.input = .ended }
        if connection.state.phase == .lingering {
            end(connection, .local)
        } else {
            reportInputEndIfConsumed(connection)
        }
    }

    /// The handler hears of the FIN behind all that came before.
    func reportInputEndIfConsumed(_ connection: ConnectionSlot) {
        guard connection.state.input == .ended, connection.state.flags.isDisjoint(with: [.paused, .ready]),
            connection.state.phase < .closing
        else { return }
        connection.state.input = .endReported
        connection.state.disconnectReason = .peer
        if connection.state.phase == .handshaking { return handshakeCut(connection) }
        unsafe handler.inputEnded(Connection(connection))
    }
}
