internal import IOUring

/// Where the bytes lie that are being delivered.
struct Delivery: BitwiseCopyable {
    let buffer: ReceiveBuffer
    let start: UInt
    let end: UInt
}

extension EventLoop {
    /// Unread input beyond this stops the kernel from receiving more. What it has taken off the socket by then comes on
    /// top: at most all receive buffers, 2 MiB of small ones and 8 MiB of large ones, and nothing later.
    static let heldByteLimit = 64 * 1024
    /// Input thrown away behind our FIN before the connection is cut.
    static let discardedByteLimit: UInt32 = 1 << 20

    func armReceive(_ connection: ConnectionSlot) {
        let flags = connection.state.flags
        guard flags.isDisjoint(with: [.receiving, .starved, .inputEnded, .ended]) else { return }
        let isLarge = flags.contains(.prefersLargeBuffers)
        connection.state.flags.insert(isLarge ? [.receiving, .receivingLarge] : .receiving)
        connection.state.operationCount += 1
        driver.receive(
            on: connection.state.descriptor, into: isLarge ? .large : .small, token: receiveToken(connection))
    }

    private func receiveToken(_ connection: ConnectionSlot) -> Token {
        token(connection.state.flags.contains(.receivingLarge) ? .receiveLarge : .receive, connection)
    }

    func received(_ completion: DriverCompletion, _ size: ReceiveBufferSize) {
        // A completion of an earlier life still owns a buffer that has to go back.
        guard let connection = connections.find(completion.token) else {
            if let index = completion.bufferIndex { driver.giveBack(ReceiveBuffer(size, index: index)) }
            return
        }
        if !completion.hasMore {
            connection.state.flags.subtract([.receiving, .receivingLarge, .receiveCanceled])
            connection.state.operationCount -= 1
        }
        if completion.result > 0, let index = completion.bufferIndex {
            deliver(ReceiveBuffer(size, index: index), count: Int(completion.result), to: connection)
        } else {
            if let index = completion.bufferIndex { driver.giveBack(ReceiveBuffer(size, index: index)) }
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
            guard !connection.state.flags.contains(.starved) else { return }
            connection.state.flags.insert(.starved)
            starved.append(token(.receive, connection))
        case .canceled:
            break  // asked for, to pause or to change the buffer size
        case .connectionReset, .brokenPipe, .timedOut:
            end(connection, .peer)
        default:
            end(connection, .error(error.code))
        }
    }

    /// A multishot ends by itself now and then (completion queue full, buffers changed): then it is armed anew.
    private func receiveAgainIfNeeded(_ connection: ConnectionSlot) {
        let flags = connection.state.flags
        guard flags.isDisjoint(with: [.receiving, .ended, .inputEnded, .starved]) else { return }
        let held = heldByteCount(connection)
        if flags.contains(.closing) || held <= Self.heldByteLimit { armReceive(connection) }
    }

    private func deliver(_ buffer: ReceiveBuffer, count: Int, to connection: ConnectionSlot) {
        let bytes = unsafe UnsafeMutableRawBufferPointer(rebasing: driver.memory(of: buffer)[..<count])
        statistics.bytesIn.add(count)
        if connection.state.flags.contains(.secured) {
            unsafe receiveRecords(UnsafeRawBufferPointer(bytes), on: connection)
            sendRecords(connection)
        } else {
            unsafe deliver(bytes, of: buffer, to: connection)
        }
        if !loans.isLent(buffer) { driver.giveBack(buffer) }
    }

    /// - Parameter buffer: what the bytes lie in, for sends that borrow from it; nil: they were decrypted.
    func deliver(_ bytes: UnsafeMutableRawBufferPointer, of buffer: ReceiveBuffer?, to connection: ConnectionSlot) {
        let count = bytes.count
        let flags = connection.state.flags
        if !flags.isDisjoint(with: [.closing, .ended]) {
            discard(count, from: connection)
        } else if hasSpentTurn(connection, buffer?.size ?? .large) {
            unsafe hold(UnsafeRawBufferPointer(bytes), for: connection)
            markReady(connection)
        } else if unsafe flags.contains(.paused) || connection.state.heldInput != nil {
            unsafe hold(UnsafeRawBufferPointer(bytes), for: connection)
            // Who stopped for its budget goes on next turn, however much comes meanwhile.
            if flags.isDisjoint(with: [.paused, .ready]) { deliverHeld(to: connection) }
        } else {
            let start = UInt(bitPattern: bytes.baseAddress!)
            if let buffer {
                connection.state.delivery = Delivery(buffer: buffer, start: start, end: start + UInt(count))
            }
            let consumed = unsafe hand(bytes, to: connection)
            connection.state.delivery = nil
            if consumed < count {
                unsafe hold(UnsafeRawBufferPointer(rebasing: bytes[consumed...]), for: connection)
            }
        }
    }

    /// Whether this connection has had its share of the turn: what else has come waits for the next one, so that one
    /// flood does not keep the loop from all others. Large buffers hold few frames, and so may bring more bytes.
    private func hasSpentTurn(_ connection: ConnectionSlot, _ size: ReceiveBufferSize) -> Bool {
        connection.state.deliveryTurn == turn
            && connection.state.deliveredByteCount >= (size == .large ? 256 << 10 : 32 << 10)
    }

    private func countDelivery(of count: Int, to connection: ConnectionSlot) {
        if connection.state.deliveryTurn != turn {
            connection.state.deliveryTurn = turn
            connection.state.deliveredByteCount = 0
        }
        connection.state.deliveredByteCount &+= UInt32(truncatingIfNeeded: count)
    }

    private var turn: UInt32 { UInt32(truncatingIfNeeded: statistics.turns.value) }

    private func hand(_ bytes: UnsafeMutableRawBufferPointer, to connection: ConnectionSlot) -> Int {
        countDelivery(of: bytes.count, to: connection)
        var span = unsafe bytes.mutableBytes
        let consumed = unsafe handler.received(&span, on: Connection(connection))
        precondition(consumed >= 0 && consumed <= bytes.count, "a handler consumed more than it was given")
        return consumed
    }

    func discard(_ count: Int, from connection: ConnectionSlot) {
        let total = connection.state.discardedByteCount.addingReportingOverflow(UInt32(clamping: count))
        connection.state.discardedByteCount = total.partialValue
        if total.overflow || total.partialValue > Self.discardedByteLimit { end(connection, .local) }
    }

    func inputEnded(_ connection: ConnectionSlot) {
        connection.state.flags.insert(.inputEnded)
        if connection.state.flags.contains(.lingering) {
            end(connection, .local)
        } else {
            reportInputEndIfConsumed(connection)
        }
    }

    private func reportInputEnd(_ connection: ConnectionSlot) {
        let flags = connection.state.flags
        guard flags.contains(.inputEnded), flags.isDisjoint(with: [.inputEndReported, .closing, .ended]) else { return }
        connection.state.flags.insert(.inputEndReported)
        connection.state.disconnectReason = .peer
        if flags.contains(.handshaking) { return handshakeCut(connection) }
        unsafe handler.inputEnded(Connection(connection))
    }
}

// MARK: held input

extension EventLoop {
    func heldByteCount(_ connection: ConnectionSlot) -> Int {
        unsafe connection.state.heldInput?.pointee.byteCount ?? 0
    }

    private func hold(_ bytes: UnsafeRawBufferPointer, for connection: ConnectionSlot) {
        guard connection.state.flags.isDisjoint(with: [.closing, .ended]) else { return }
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

    func cancelReceive(_ connection: ConnectionSlot) {
        let flags = connection.state.flags
        guard flags.contains(.receiving), !flags.contains(.receiveCanceled) else { return }
        connection.state.flags.insert(.receiveCanceled)
        driver.cancel(receiveToken(connection), answer: token(.cancel, connection))
    }

    /// The kernel found no receive to end: it was just over, which its completion tells, or between two arrivals, and
    /// then it would go on for as long as the peer sends.
    func cancelMissed(_ completion: DriverCompletion) {
        guard completion.error == .notFound, let connection = connections.find(completion.token),
            connection.state.flags.isSuperset(of: [.receiving, .receiveCanceled])
        else { return }
        connection.state.flags.remove(.receiveCanceled)
        cancelReceive(connection)
    }

    func resumeReceiving(on connection: ConnectionSlot) {
        connection.state.flags.remove(.paused)
        markReady(connection)
    }

    func markReady(_ connection: ConnectionSlot) {
        guard connection.state.flags.isDisjoint(with: [.ready, .ended]) else { return }
        connection.state.flags.insert(.ready)
        ready.append(token(.unanswered, connection))
    }

    /// One delivery each, so that whoever stopped for its budget waits behind all others.
    func deliverHeldInput() {
        guard !ready.isEmpty else { return }
        let waiting = ready
        ready.removeAll(keepingCapacity: true)
        for token in waiting {
            guard let connection = connections.find(token) else { continue }
            connection.state.flags.remove(.ready)
            if connection.state.flags.contains(.dropsHeldInput) { releaseHeldInput(connection) }
            guard connection.state.flags.isDisjoint(with: [.paused, .closing, .ended]) else { continue }
            if connection.state.flags.contains(.handshaking) {
                continueHandshake(connection)
                sendRecords(connection)
            } else {
                deliverHeld(to: connection)
            }
            receiveAgainIfNeeded(connection)
            reportInputEndIfConsumed(connection)
        }
    }

    private func deliverHeld(to connection: ConnectionSlot) {
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

    private func reportInputEndIfConsumed(_ connection: ConnectionSlot) {
        if connection.state.flags.isDisjoint(with: [.paused, .ready]) { reportInputEnd(connection) }
    }
}

// MARK: receive buffers

extension EventLoop {
    func setLargeBuffers(_ yes: Bool, on connection: ConnectionSlot) {
        guard connection.state.flags.contains(.prefersLargeBuffers) != yes else { return }
        if yes {
            connection.state.flags.insert(.prefersLargeBuffers)
        } else {
            connection.state.flags.remove(.prefersLargeBuffers)
        }
        cancelReceive(connection)
    }

    /// Those that found no buffer are armed again, first come first served, and no more of them than there are buffers:
    /// all others would only fail again. Called when the turn's buffers are back, but for those on loan.
    func feedStarved() {
        guard !starved.isEmpty else { return }
        var free = (small: freeBufferCount(.small), large: freeBufferCount(.large))
        let waiting = starved
        starved.removeAll(keepingCapacity: true)
        for token in waiting {
            guard let connection = connections.find(token) else { continue }
            let isFed = connection.state.flags.contains(.prefersLargeBuffers) ? take(&free.large) : take(&free.small)
            guard isFed else {
                starved.append(token)
                continue
            }
            connection.state.flags.remove(.starved)
            receiveAgainIfNeeded(connection)
        }
    }

    private func freeBufferCount(_ size: ReceiveBufferSize) -> Int {
        driver.bufferCount(size) - loans.count(of: size)
    }

    private func take(_ count: inout Int) -> Bool {
        count -= 1
        return count >= 0
    }
}
