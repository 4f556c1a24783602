internal import SystemCalls

/// What the kernel is asked to receive, and its answers. What becomes of the bytes: `EventLoop+Input.swift`.
extension EventLoop {
    func armReceive(_ connection: ConnectionSlot) {
        let phase = connection.state.phase
        guard connection.state.receive == .none, connection.state.input == .open, phase > .connecting, phase < .ended
        else { return }
        let isLarge = connection.state.flags.contains(.prefersLargeBuffers)
        connection.state.receive = .armed
        connection.state.operationCount += 1
        driver.receive(
            on: connection.state.descriptor, into: isLarge ? .large : .small, token: connection.token(.receive))
    }

    func received(_ completion: DriverCompletion) {
        // A completion of an earlier life may bring a buffer that has to go back.
        guard let connection = state.connections.find(completion.token) else {
            if let buffer = completion.buffer { driver.giveBack(buffer) }
            return
        }
        if !completion.hasMore {
            connection.state.receive = .none
            connection.state.operationCount -= 1
        }
        if completion.result > 0, let buffer = completion.buffer {
            read(buffer, count: Int(completion.result), of: connection)
        } else {
            if let buffer = completion.buffer { driver.giveBack(buffer) }
            if let error = completion.error { receiveFailed(connection, error) } else { inputEnded(connection) }
        }
        receiveAgainIfNeeded(connection)
        closeIfIdle(connection)
    }

    private func receiveFailed(_ connection: ConnectionSlot, _ error: SystemError) {
        switch error {
        case .noBuffers:
            // Arming again at once would only fail again, thousands of times a second.
            statistics.bufferStarvations.add(1)
            guard connection.state.receive == .none else { return }
            connection.state.receive = .starved
            state.starved.append(connection.token(.receive))
        case .canceled:
            break  // asked for, to pause or to change the buffer size
        case .connectionReset, .brokenPipe, .timedOut:
            end(connection, .peer)
        default:
            end(connection, .error(error.code))
        }
    }

    /// A multishot ends by itself now and then (completion queue full, buffers changed): then it is armed anew.
    func receiveAgainIfNeeded(_ connection: ConnectionSlot) {
        guard connection.state.receive == .none else { return }
        if connection.state.phase >= .closing || heldByteCount(connection) <= Self.heldByteLimit {
            armReceive(connection)
        }
    }

    // MARK: canceling

    func cancelReceive(_ connection: ConnectionSlot) {
        guard connection.state.receive == .armed else { return }
        connection.state.receive = .ending
        cancel(.receive, of: connection)
    }

    func cancel(_ operation: Token.Operation, of connection: ConnectionSlot) {
        driver.cancel(connection.token(operation), answer: connection.token(.cancel))
    }

    /// The kernel found no operation to end: that was just over, which its completion tells, or it was a receive
    /// between two arrivals, and then it would go on for as long as the peer sends.
    func cancelMissed(_ completion: DriverCompletion) {
        guard completion.error == .notFound, let connection = state.connections.find(completion.token) else { return }
        if connection.state.phase == .reported { return cancelOperations(connection) }
        guard connection.state.receive == .ending else { return }
        connection.state.receive = .armed
        cancelReceive(connection)
    }

    // MARK: receive buffers

    func setLargeBuffers(_ yes: Bool, on connection: ConnectionSlot) {
        guard connection.state.flags.contains(.prefersLargeBuffers) != yes else { return }
        connection.state.flags.formSymmetricDifference(.prefersLargeBuffers)
        cancelReceive(connection)
    }

    /// Arms the receives again that found no buffer, first come first served, and no more of them than there are
    /// buffers: all others would only fail again. Called when the turn's buffers are back, but for those on loan.
    func feedStarved() {
        guard !state.starved.isEmpty else { return }
        var free = (small: freeBufferCount(.small), large: freeBufferCount(.large))
        for token in state.starved.take() {
            guard let connection = state.connections.find(token) else { continue }
            let isFed = connection.state.flags.contains(.prefersLargeBuffers) ? take(&free.large) : take(&free.small)
            guard isFed else {
                state.starved.append(token)
                continue
            }
            connection.state.receive = .none
            receiveAgainIfNeeded(connection)
        }
    }

    private func freeBufferCount(_ size: ReceiveBufferSize) -> Int {
        driver.bufferCount(size) - state.loans.count(of: size)
    }

    private func take(_ count: inout Int) -> Bool {
        count -= 1
        return count >= 0
    }
}
