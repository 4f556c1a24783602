internal import SystemCalls

/// Per turn and connection: append to the queue, mark the connection dirty, one operation for all of it.
extension EventLoop {
    /// Room for `count` bytes at the end of what the connection sends.
    @inline(__always)
    func reserve(_ count: Int, on connection: ConnectionSlot) -> UnsafeMutableRawPointer {
        if !connection.state.flags.contains(.dirty) { markDirty(connection) }
        return unsafe queue(of: connection).pointee.append(count, chunks: &state.chunks)
    }

    /// Room for `count` bytes in front of what waits on the connection.
    func reserveUrgent(_ count: Int, on connection: ConnectionSlot) -> UnsafeMutableRawPointer {
        markDirty(connection)
        return unsafe queue(of: connection).pointee.insertUrgent(count, chunks: &state.chunks)
    }

    /// Queues bytes of the receive buffer that the handler is looking at: see `Connection.sendBorrowed`.
    func borrow(_ bytes: UnsafeRawBufferPointer, on connection: ConnectionSlot) -> Bool {
        let start = UInt(bitPattern: bytes.baseAddress!)
        guard driver.sendsInBatches, !connection.state.flags.contains(.blocked), connection.state.send != .ordinary,
            let input = state.lentInput, input.slot == connection.state.slot,
            start >= input.start, start + UInt(bytes.count) <= input.end,
            state.loans.lend(input.buffer)
        else { return false }
        markDirty(connection)
        unsafe queue(of: connection).pointee.append(bytes, of: input.buffer)
        return true
    }

    func markDirty(_ connection: ConnectionSlot) {
        guard !connection.state.flags.contains(.dirty) else { return }
        connection.state.flags.insert(.dirty)
        state.dirty.append(connection)
    }

    func queue(of connection: ConnectionSlot) -> UnsafeMutablePointer<SendQueue> {
        if let queue = unsafe connection.state.sendQueue { return unsafe queue }
        let queue = unsafe state.sendQueues.take()
        unsafe connection.state.sendQueue = unsafe queue
        return unsafe queue
    }

    /// At the end of the turn: one operation for each connection that has something to send.
    func flushDirty() {
        flushQueues()
        guard !state.gathering.isEmpty else { return }
        gather()
        flushQueues()
    }

    private func flushQueues() {
        guard !state.dirty.isEmpty else { return }
        for connection in state.dirty {
            connection.state.flags.remove(.dirty)
            flush(connection)
        }
        state.dirty.removeAll(keepingCapacity: true)
    }

    /// The most bytes of an ordinary send, since what is urgent waits behind them for as long as the peer likes. The
    /// kernel's own buffers hold as much and more.
    private static let ordinarySendByteCount = 256 << 10

    private func flush(_ connection: ConnectionSlot) {
        // One send at a time: a second one could overtake what the first one leaves.
        guard connection.state.send == .none, connection.state.phase < .ended,
            connection.state.tls == nil || seal(connection),
            let queue = unsafe connection.state.sendQueue, unsafe !queue.pointee.isEmpty
        else { return keepUnsent(connection) }
        statistics.sendSubmissions.add(1)
        let isBatched = driver.sendsInBatches && !connection.state.flags.contains(.blocked)
        let limit = isBatched ? SendQueue.maxByteCount : Self.ordinarySendByteCount
        let pieces = unsafe queue.pointee.beginSend(atMost: limit)
        if isBatched {
            connection.state.send = .batched
            state.flushing.append(connection)
            // A silent success would leave the loop asleep in front of the FIN, of the handler that waits for
            // `drained`, or of the pieces beyond the kernel's limit.
            let isAwaited = connection.state.phase >= .closing || connection.state.flags.contains(.wantsDrain)
            if unsafe isAwaited || !queue.pointee.isSubmittedCompletely { state.settlesAtOnce = true }
            unsafe driver.sendBatched(pieces, on: connection.state.descriptor, token: connection.token(.batchedSend))
        } else {
            connection.state.send = .ordinary
            connection.state.operationCount += 1
            if !connection.state.flags.contains(.blocked) { state.flushing.append(connection) }
            unsafe driver.send(pieces, on: connection.state.descriptor, token: connection.token(.send))
        }
    }

    /// A connection whose queue is not sent now: nearly always since it is empty, or its send is under way.
    private func keepUnsent(_ connection: ConnectionSlot) {
        switch connection.state.send {
        case .carried: offerOutput(of: connection)
        // A carrier that was gathered behind a send of the same turn: the loop must not sleep in front of the rest.
        case .batched: state.settlesAtOnce = true
        case .none, .ordinary: break
        }
    }

    /// A batched send left something: the rest waits until the socket has room.
    func batchedSendFellShort(_ completion: DriverCompletion) {
        guard let connection = state.connections.find(completion.token), connection.state.send == .batched
        else { return }
        connection.state.send = .none
        let taken = max(0, Int(completion.result))
        sent(taken, on: connection, at: state.flushTime)
        if connection.state.phase >= .ended { return closeIfIdle(connection) }
        if let error = completion.error, error != .wouldBlock { return sendFailed(connection, error) }
        unsafe connection.state.sendQueue?.pointee.ownEverything(chunks: &state.chunks) { giveBackLoan($0) }
        markBlocked(connection)
        flush(connection)
    }

    func markBlocked(_ connection: ConnectionSlot) {
        guard !connection.state.flags.contains(.blocked), connection.state.phase < .ended else { return }
        connection.state.flags.insert(.blocked)
        connection.state.lastProgress = now
        connection.state.paceStart = 0
        watchForStall(connection)
        unsafe handler.blocked(Connection(connection))
    }

    /// After every completion of a wait has been seen, and before any handler is called.
    func settleSends() {
        if !state.settling.isEmpty { settleCarried() }
        if !state.endedSends.isEmpty {
            for completion in state.endedSends.take() { sendEnded(completion) }
        }
        settleFlushes()
    }

    /// Batched sends that have not completed are over, and took everything; ordinary ones that have not completed found
    /// the socket full.
    private func settleFlushes() {
        guard !state.flushing.isEmpty, state.flushesAreSubmitted else { return }
        for connection in state.flushing {
            if connection.state.send == .ordinary { markBlocked(connection) }
            guard connection.state.send == .batched else { continue }
            connection.state.send = .none
            guard let queue = unsafe connection.state.sendQueue else { continue }
            sent(unsafe queue.pointee.submittedByteCount, on: connection, at: state.flushTime)
            if connection.state.phase >= .ended { closeIfIdle(connection) } else { afterSend(connection) }
        }
        state.flushing.removeAll(keepingCapacity: true)
        state.settlesAtOnce = false
    }

    func sendEnded(_ completion: DriverCompletion) {
        guard let connection = state.connections.find(completion.token) else { return }
        connection.state.send = .none
        connection.state.operationCount -= 1
        let taken = max(0, Int(completion.result))
        let fellShort = unsafe taken < connection.state.sendQueue?.pointee.submittedByteCount ?? 0
        sent(taken, on: connection, at: now)
        if connection.state.phase >= .ended {
            // closeIfIdle gives the queue back
        } else if let error = completion.error {
            sendFailed(connection, error)
        } else {
            if fellShort { markBlocked(connection) }
            afterSend(connection)
        }
        closeIfIdle(connection)
    }

    /// - Parameter time: when the kernel took the bytes (ms).
    private func sent(_ count: Int, on connection: ConnectionSlot, at time: UInt64) {
        guard let queue = unsafe connection.state.sendQueue else { return }
        if count > 0 {
            statistics.bytesOut.add(count)
            connection.state.lastProgress = time
        }
        unsafe queue.pointee.finishSend(taken: count, chunks: &state.chunks) { giveBackLoan($0) }
    }

    func afterSend(_ connection: ConnectionSlot) {
        guard let queue = unsafe connection.state.sendQueue else { return }
        if unsafe !queue.pointee.isEmpty || hasRecords(connection) {
            return markDirty(connection)
        }
        releaseSendQueue(connection)
        connection.state.flags.remove(.blocked)
        if connection.state.phase >= .closing {
            finishWriting(connection)
        } else if connection.state.flags.contains(.wantsDrain) {
            connection.state.flags.remove(.wantsDrain)
            unsafe handler.drained(Connection(connection))
        }
    }

    private func sendFailed(_ connection: ConnectionSlot, _ error: SystemError) {
        switch error {
        case .brokenPipe, .connectionReset, .timedOut: end(connection, .peer)
        case .canceled: end(connection, .local)
        default: end(connection, .error(error.code))
        }
    }

    /// Gives the queue back to the pool; what is in it is lost.
    func releaseSendQueue(_ connection: ConnectionSlot) {
        guard let queue = unsafe connection.state.sendQueue else { return }
        unsafe queue.pointee.removeAll(chunks: &state.chunks) { giveBackLoan($0) }
        unsafe connection.state.sendQueue = nil
        unsafe state.sendQueues.giveBack(queue)
    }

    func giveBackLoan(_ loan: SendQueue.Loan) {
        switch loan {
        case .receiveBuffer(let buffer): if state.loans.end(buffer) { driver.giveBack(buffer) }
        case .sharedBlock(let block): state.sharedLog.release(block)
        }
    }
}
