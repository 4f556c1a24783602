package import SystemCalls

/// Outbound connections: a slot from the first moment on, so that a deadline, `abort` and the loop's end mean the same
/// for them as for all others.
extension EventLoop {
    /// Begins a connection. The handler hears `connected`, or `closed` with the cause; until then nothing may be sent
    /// on it, and `close` ends it at once. A deadline may be set at once.
    /// - Parameters:
    ///   - source: the local address to bind to; nil leaves it to the kernel.
    ///   - context: what the handler keeps for this connection.
    /// - Throws: when there is no socket to be had, the source is no address of this machine, or the loop is ending.
    package func connect(
        to address: ConnectAddress, from source: ConnectAddress? = nil, context: UnsafeMutableRawPointer?
    ) throws(SystemError) -> ConnectionSlot {
        guard !state.isStopping else { throw .canceled }
        let descriptor = try driver.makeSocket(for: address, from: source)
        let connection = state.connections.insert(loop: self)
        connection.state.descriptor = descriptor
        connection.state.move(to: .connecting)
        unsafe connection.state.context = unsafe context
        connection.state.operationCount += 1
        connection.state.flags.insert(.connects)
        statistics.connections.addShared(1)
        driver.connect(descriptor, to: address, token: connection.token(.connect))
        return connection
    }

    func connectEnded(_ completion: DriverCompletion) {
        guard let connection = state.connections.find(completion.token) else { return }
        connection.state.operationCount -= 1
        connection.state.flags.remove(.connects)
        // In any other phase the connection was given up meanwhile.
        if connection.state.phase == .connecting {
            if let error = completion.error { end(connection, .error(error.code)) } else { connected(connection) }
        }
        closeIfIdle(connection)
    }

    private func connected(_ connection: ConnectionSlot) {
        connection.state.move(to: .open)
        driver.opened(connection.state.descriptor, slot: connection.state.slot)
        armReceive(connection)
        unsafe handler.connected(Connection(connection))
    }
}
