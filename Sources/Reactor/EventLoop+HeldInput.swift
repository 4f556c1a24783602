/// Input that the handler has not had, or not consumed. Connections that can go on stand in the list `ready`, and have
/// one go each in the next turn.
extension EventLoop {
    /// Beyond so much held input the kernel is to receive no more. What it has taken off the socket by then comes on
    /// top: at most all receive buffers, 2 MiB of small ones and 8 MiB of large ones.
    static let heldByteLimit = 64 * 1024

    func heldByteCount(_ connection: ConnectionSlot) -> Int {
        unsafe connection.state.heldInput?.pointee.byteCount ?? 0
    }

    func hold(_ bytes: UnsafeRawBufferPointer, for connection: ConnectionSlot) {
        guard connection.state.phase < .closing else { return }
        if let held = unsafe connection.state.heldInput {
            unsafe held.pointee.append(bytes)
        } else {
            let held = UnsafeMutablePointer<HeldInput>.allocate(capacity: 1)
            unsafe held.initialize(to: HeldInput(bytes))
            unsafe connection.state.heldInput = held
        }
        if heldByteCount(connection) > Self.heldByteLimit { cancelReceive(connection) }
    }

    func releaseHeldInput(_ connection: ConnectionSlot) {
        guard let held = unsafe connection.state.heldInput else { return }
        unsafe held.deinitialize(count: 1)
        unsafe held.deallocate()
        unsafe connection.state.heldInput = nil
    }

    func resumeReceiving(on connection: ConnectionSlot) {
        connection.state.flags.remove(.paused)
        markReady(connection)
    }

    func markReady(_ connection: ConnectionSlot) {
        guard !connection.state.flags.contains(.ready), connection.state.phase < .ended else { return }
        connection.state.flags.insert(.ready)
        state.ready.append(connection.token(.unanswered))
    }

    /// One go for each connection, so that one which stopped for its budget waits behind all others.
    func continueReady() {
        guard !state.ready.isEmpty else { return }
        for token in state.ready.take() {
            guard let connection = state.connections.find(token) else { continue }
            connection.state.flags.remove(.ready)
            if connection.state.phase >= .closing {
                releaseHeldInput(connection)
            } else if !connection.state.flags.contains(.paused) {
                continueInput(of: connection)
            }
        }
    }

    private func continueInput(of connection: ConnectionSlot) {
        if connection.state.phase == .handshaking {
            continueHandshake(connection)
            sendRecords(connection)
        } else {
            handHeldInput(to: connection)
        }
        receiveAgainIfNeeded(connection)
        if connection.state.receive == .carried { tellCarrier(of: connection, .input) }
        reportInputEndIfConsumed(connection)
    }

    func handHeldInput(to connection: ConnectionSlot) {
        guard let held = unsafe connection.state.heldInput else { return }
        let bytes = unsafe held.pointee.bytes
        let consumed = unsafe hand(bytes, to: connection)
        // Nothing else touches held input while its connection's handler runs, except its end.
        guard unsafe connection.state.heldInput != nil else { return }
        if consumed == bytes.count {
            releaseHeldInput(connection)
        } else {
            unsafe held.pointee.removeFirst(consumed)
        }
    }
}
