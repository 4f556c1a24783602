internal import IOUring

/// Per turn and connection: append to the queue, mark the connection dirty, one operation for all of it.
extension EventLoop {
    /// Room for `count` bytes at the end of what the connection sends.
    @inline(__always)
    func reserve(_ count: Int, on connection: ConnectionSlot) -> UnsafeMutableRawPointer {
        if !connection.state.flags.contains(.dirty) { markDirty(connection) }
        return unsafe queue(of: connection).pointee.append(count, chunks: chunks)
    }

    /// Room for `count` bytes in front of what waits on the connection.
    func reserveUrgent(_ count: Int, on connection: ConnectionSlot) -> UnsafeMutableRawPointer {
        markDirty(connection)
        return unsafe queue(of: connection).pointee.insertUrgent(count, chunks: chunks)
    }

    /// Bytes of an ordinary send, which may last as long as the peer likes: what is urgent waits behind them. The
    /// kernel's own buffers hold as much and more.
    private static let ordinarySendByteCount = 256 << 10

    /// Writes bytes that several connections of this loop will send: `fill` writes all `count` of them, once.
    package func share(_ count: Int, _ fill: (UnsafeMutableRawPointer) -> Void) -> SharedBytes {
        unsafe sharedLog.append(count, fill)
    }

    /// Keeps shared bytes valid until `release`, also while others are written.
    package func keep(_ bytes: SharedBytes) { bytes.block.beginUse() }

    package func release(_ bytes: SharedBytes) { sharedBlocks.release(bytes.block) }

    func borrow(_ bytes: UnsafeRawBufferPointer, on connection: ConnectionSlot) -> Bool {
        let start = UInt(bitPattern: bytes.baseAddress!)
        guard driver.sendsInBatches, connection.state.flags.isDisjoint(with: [.blocked, .sending]),
            let delivery = connection.state.delivery, start >= delivery.start,
            start + UInt(bytes.count) <= delivery.end,
            loans.lend(delivery.buffer)
        else { return false }
        markDirty(connection)
        unsafe queue(of: connection).pointee.append(bytes, of: delivery.buffer)
        return true
    }

    /// Queues bytes of the shared log by reference.
    ///
    /// Behind a slow peer a small run that does not continue the last one is copied: a block stays as long as one byte
    /// of it waits, and many such runs would keep far more than they hold.
    func append(_ bytes: SharedBytes, on connection: ConnectionSlot) {
        markDirty(connection)
        let queue = unsafe queue(of: connection)
        if connection.state.flags.contains(.blocked), bytes.count < SendQueue.pinnedByteCount {
            let room = unsafe queue.pointee.append(bytes.count, chunks: chunks)
            unsafe room.copyMemory(from: bytes.start, byteCount: bytes.count)
        } else {
            unsafe queue.pointee.append(bytes)
        }
    }

    func markDirty(_ connection: ConnectionSlot) {
        guard !connection.state.flags.contains(.dirty) else { return }
        connection.state.flags.insert(.dirty)
        dirty.append(connection)
    }

    private func queue(of connection: ConnectionSlot) -> UnsafeMutablePointer<SendQueue> {
        if let queue = unsafe connection.state.sendQueue { return unsafe queue }
        let queue = unsafe sendQueues.take()
        unsafe connection.state.sendQueue = unsafe queue
        return unsafe queue
    }

    /// The end of the turn: one operation for each connection that has something to send.
    func flushDirty() {
        guard !dirty.isEmpty else { return }
        for connection in dirty {
            connection.state.flags.remove(.dirty)
            flush(connection)
        }
        dirty.removeAll(keepingCapacity: true)
    }

    private func flush(_ connection: ConnectionSlot) {
        // Two sends on one socket are independent: the second one could overtake what the first one left.
        guard connection.state.flags.isDisjoint(with: [.flushing, .sending, .ended]),
            !connection.state.flags.contains(.secured) || seal(connection),
            let queue = unsafe connection.state.sendQueue, unsafe !queue.pointee.isEmpty
        else { return }
        statistics.sendSubmissions.add(1)
        let isBatched = driver.sendsInBatches && !connection.state.flags.contains(.blocked)
        let limit = isBatched ? SendQueue.maximumByteCount : Self.ordinarySendByteCount
        let message = unsafe queue.pointee.beginSend(atMost: limit)
        if isBatched {
            connection.state.flags.insert(.flushing)
            flushing.append(connection)
            // A silent success would leave the loop asleep in front of the FIN, of the handler that waits for
            // `drained`, or of the pieces beyond the kernel's limit.
            let isAwaited = !connection.state.flags.isDisjoint(with: [.closing, .wantsDrain])
            if unsafe isAwaited || !queue.pointee.isSubmittedCompletely { settlesAtOnce = true }
            unsafe driver.sendBatched(message, on: connection.state.descriptor, token: token(.batchedSend, connection))
        } else {
            connection.state.flags.insert(.sending)
            connection.state.operationCount += 1
            if !connection.state.flags.contains(.blocked) { flushing.append(connection) }
            unsafe driver.send(message, on: connection.state.descriptor, token: token(.send, connection))
        }
    }

    /// A batched send left something: the rest waits until the socket has room.
    func batchedSendFellShort(_ completion: DriverCompletion) {
        guard let connection = connections.find(completion.token), connection.state.flags.contains(.flushing) else {
            return
        }
        connection.state.flags.remove(.flushing)
        let taken = max(0, Int(completion.result))
        sent(taken, on: connection, at: flushTime)
        if connection.state.flags.contains(.ended) { return closeIfIdle(connection) }
        if let error = completion.error, error != .wouldBlock { return sendFailed(connection, error) }
        unsafe connection.state.sendQueue?.pointee.ownEverything(chunks: chunks) { giveBackLoan($0) }
        markBlocked(connection)
        flush(connection)
    }

    private func markBlocked(_ connection: ConnectionSlot) {
        guard connection.state.flags.isDisjoint(with: [.blocked, .ended]) else { return }
        connection.state.flags.insert(.blocked)
        connection.state.lastProgress = now
        connection.state.paceStart = 0
        watchForStall(connection)
        unsafe handler.blocked(Connection(connection))
    }

    /// After every completion of a wait has been seen, and before any handler is called.
    func settleSends() {
        if !endedSends.isEmpty {
            let completions = endedSends
            endedSends.removeAll(keepingCapacity: true)
            for completion in completions { sendEnded(completion) }
        }
        settleFlushes()
    }

    /// The batched sends that did not answer are over, and took everything; the ordinary ones that did not answer found
    /// the socket full.
    private func settleFlushes() {
        guard !flushing.isEmpty, flushesAreSubmitted else { return }
        for connection in flushing {
            if connection.state.flags.contains(.sending) { markBlocked(connection) }
            guard connection.state.flags.contains(.flushing) else { continue }
            connection.state.flags.remove(.flushing)
            guard let queue = unsafe connection.state.sendQueue else { continue }
            sent(unsafe queue.pointee.submittedByteCount, on: connection, at: flushTime)
            if connection.state.flags.contains(.ended) { closeIfIdle(connection) } else { afterSend(connection) }
        }
        flushing.removeAll(keepingCapacity: true)
        settlesAtOnce = false
    }

    /// An ordinary send is over.
    func sendEnded(_ completion: DriverCompletion) {
        guard let connection = connections.find(completion.token) else { return }
        connection.state.flags.remove(.sending)
        connection.state.operationCount -= 1
        let taken = max(0, Int(completion.result))
        let fellShort = unsafe taken < connection.state.sendQueue?.pointee.submittedByteCount ?? 0
        sent(taken, on: connection, at: now)
        if connection.state.flags.contains(.ended) {
            // closeIfIdle gives the queue back
        } else if let error = completion.error {
            sendFailed(connection, error)
        } else {
            if fellShort { markBlocked(connection) }
            afterSend(connection)
        }
        closeIfIdle(connection)
    }

    /// - Parameter time: when the kernel took them (ms).
    private func sent(_ count: Int, on connection: ConnectionSlot, at time: UInt64) {
        guard let queue = unsafe connection.state.sendQueue else { return }
        if count > 0 {
            statistics.bytesOut.add(count)
            connection.state.lastProgress = time
        }
        unsafe queue.pointee.finishSend(taken: count, chunks: chunks) { giveBackLoan($0) }
    }

    private func afterSend(_ connection: ConnectionSlot) {
        guard let queue = unsafe connection.state.sendQueue else { return }
        if unsafe !queue.pointee.isEmpty || hasRecords(connection) {
            return markDirty(connection)
        }
        releaseSendQueue(connection)
        connection.state.flags.remove(.blocked)
        if connection.state.flags.contains(.closing) {
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
        unsafe queue.pointee.removeAll(chunks: chunks) { giveBackLoan($0) }
        unsafe connection.state.sendQueue = nil
        unsafe sendQueues.giveBack(queue)
    }

    func giveBackLoan(_ loan: SendQueue.Loan) {
        switch loan {
        case .receiveBuffer(let buffer): if loans.end(buffer) { driver.giveBack(buffer) }
        case .sharedBlock(let block): sharedBlocks.release(block)
        }
    }
}

// MARK: write stalls

extension EventLoop {
    private func watchForStall(_ connection: ConnectionSlot) {
        guard connection.state.writeStallTimeout > 0, !connection.state.flags.contains(.watchedForStall) else { return }
        connection.state.flags.insert(.watchedForStall)
        watchedForStall.append(token(.unanswered, connection))
    }

    /// Once a second: who has taken nothing for its time is cut off, who is no longer blocked is forgotten.
    func checkStalls() {
        if uncheckedForStall == 0 {
            guard !watchedForStall.isEmpty, now - lastStallCheck >= Self.stallCheckInterval else { return }
            lastStallCheck = now
            uncheckedForStall = watchedForStall.count
        }
        for _ in 0..<min(uncheckedForStall, Self.timersPerTurn) {
            uncheckedForStall -= 1
            guard !isWatchedOn(watchedForStall[uncheckedForStall]) else { continue }
            // Whoever is last has been looked at.
            watchedForStall.swapAt(uncheckedForStall, watchedForStall.count - 1)
            watchedForStall.removeLast()
        }
    }

    /// Whether somebody still waits for this peer, and will.
    private func isWatchedOn(_ token: Token) -> Bool {
        guard let connection = connections.find(token), !connection.state.flags.contains(.ended) else { return false }
        if !connection.state.flags.contains(.blocked) {
            connection.state.flags.remove(.watchedForStall)
            return false
        }
        guard now - timeOfProgress(connection) >= UInt64(connection.state.writeStallTimeout) else { return true }
        end(connection, .stalled)
        return false
    }

    /// When the peer last took something. A send completes only once the socket has much room again, which at a slow
    /// reader's pace is minutes for what a socket buffers; so the kernel is asked.
    func timeOfProgress(_ connection: ConnectionSlot) -> UInt64 {
        let count = UInt32(clamping: driver.untakenByteCount(of: connection.state.descriptor))
        if count != connection.state.untakenByteCount {
            connection.state.untakenByteCount = count
            connection.state.lastProgress = now
        }
        return connection.state.lastProgress
    }

    static let stallCheckInterval: UInt64 = 1000
}
