/// The order of an end: what is queued goes out, FIN, the peer's rest is thrown away, cancel, wait until nothing is in
/// flight, close, next generation. `close(2)` under an armed receive would send no FIN and go on receiving, and one
/// with unread input would send a reset that destroys what was sent before.
extension EventLoop {
    /// How long a peer may take for its own end after ours (ms); while it still takes what is queued here or in the
    /// kernel, the time starts anew, as `endOfPatience` says.
    static let lingerTime: UInt64 = 2000
    /// Bytes a second, on average, that a peer has to take of what is queued for it.
    private static let slowestPace: UInt64 = 1_024

    /// Moves to `closing`: nothing more is accepted to be sent.
    func close(_ connection: ConnectionSlot) {
        switch connection.state.phase {
        case .connecting: return end(connection, .local)
        case .handshaking, .open: connection.state.move(to: .closing)
        case .free, .closing, .lingering, .ended, .reported: return
        }
        connection.state.lastProgress = now
        connection.state.paceStart = 0
        timers.schedule(connection.state.slot, at: now + Self.lingerTime)
        // Held input is freed in the next turn: a handler that closes while it is given some still reads from it.
        if unsafe connection.state.heldInput != nil { markReady(connection) }
        if unsafe connection.state.sendQueue == nil { finishWriting(connection) }
        // A receive that was canceled for a pause is needed again, to see the peer's end.
        armReceive(connection)
    }

    /// Moves to `lingering`: everything queued has gone out, and the FIN says that no more will come.
    func finishWriting(_ connection: ConnectionSlot) {
        guard connection.state.phase == .closing, finishRecords(connection) else { return }
        if connection.state.send == .carried { tellCarrier(of: connection, .finish) }
        guard connection.state.input == .open else { return end(connection, connection.state.disconnectReason) }
        connection.state.move(to: .lingering)
        if connection.state.send != .carried {
            driver.shutdownWriting(connection.state.descriptor)
            noteUntaken(connection)
        }
        timers.schedule(connection.state.slot, at: now + Self.lingerTime)
        tellFailure(connection)
    }

    /// Notes what the kernel holds for the peer behind the FIN: taking it is progress. A little is on its way to every
    /// peer, and is no reason to wait longer for one that does not end, whether it is taken or not.
    private func noteUntaken(_ connection: ConnectionSlot) {
        let count = UInt32(clamping: driver.untakenByteCount(of: connection.state.descriptor))
        connection.state.untakenByteCount = count > Self.byteCountOnTheWay ? count : Self.notLookedAt
    }

    /// Stands in `untakenByteCount` for a number that is not known: the first look finds no progress.
    static let notLookedAt = UInt32.max
    private static let byteCountOnTheWay: UInt32 = 16 << 10

    /// Ends the connection, unless the peer is still reading what was sent: a close under what the kernel holds would
    /// answer whatever the peer says next by a reset, which destroys the rest.
    func lingerTimeIsOver(_ connection: ConnectionSlot) {
        if let end = endOfPatience(Self.lingerTime, with: connection) {
            timers.schedule(connection.state.slot, at: end)
        } else {
            end(connection, connection.state.disconnectReason)
        }
    }

    /// Until when (ms) a connection that is to end waits for a peer that still takes what was sent; nil if no longer.
    ///
    /// The peer has to take something within `patience` (ms), and to keep a pace on average from the first call on
    /// since it is behind: one that takes a byte now and then would keep all that is queued for days.
    func endOfPatience(_ patience: UInt64, with connection: ConnectionSlot) -> UInt64? {
        let end = timeOfProgress(connection) + patience
        guard now < end else { return nil }
        let queued = unsafe connection.state.sendQueue?.pointee.byteCount ?? 0
        let left = UInt32(clamping: queued + Int(connection.state.untakenByteCount))
        guard left > 0 else {
            connection.state.paceStart = 0
            return end
        }
        let time = UInt32(truncatingIfNeeded: now)
        // More than before: the peer was given more to take, and its pace is measured anew.
        if connection.state.paceStart == 0 || left > connection.state.paceByteCount {
            connection.state.paceStart = max(time, 1)
            connection.state.paceByteCount = left
        }
        let elapsed = UInt64(time &- connection.state.paceStart)
        let taken = UInt64(connection.state.paceByteCount - left)
        return elapsed <= patience + taken * 1_000 / Self.slowestPace ? end : nil
    }

    /// Moves to `ended`, from any phase of a life. The handler is told at the end of the turn.
    func end(_ connection: ConnectionSlot, _ reason: DisconnectReason) {
        guard connection.state.phase > .free, connection.state.phase < .ended else { return }
        connection.state.move(to: .ended)
        connection.state.disconnectReason = reason
        timers.cancel(connection.state.slot)
        state.ended.append(connection)
    }

    /// Moves to `ended`, and has the peer see a reset.
    func reset(_ connection: ConnectionSlot) {
        guard connection.state.phase > .free, connection.state.phase < .ended else { return }
        if connection.state.send != .carried { driver.resetWhenClosed(connection.state.descriptor) }
        end(connection, .local)
    }

    /// Moves to `reported`, after everything else that the turn tells the handler, so that it hears of no end from
    /// within another call.
    func reportEnded() {
        while !state.ended.isEmpty {
            for connection in state.ended.take() {
                tellFailure(connection)
                if connection.state.flags.contains(.unannounced) {
                    unsafe handler.abandoned(Connection(connection))
                } else {
                    unsafe handler.closed(Connection(connection), connection.state.disconnectReason)
                }
                connection.state.move(to: .reported)
                releaseHeldInput(connection)
                // What a send under way borrows stays until its completion.
                if connection.state.send == .none { releaseSendQueue(connection) }
                cancelOperations(connection)
                closeIfIdle(connection)
            }
        }
    }

    /// Ends what the kernel still has of a connection that was reported. Called again where it has found something
    /// neither to end nor to be over, as between two arrivals: else the connection would stay for as long as its peer.
    func cancelOperations(_ connection: ConnectionSlot) {
        guard connection.state.operationCount > 0 else { return }
        if connection.state.receive == .armed || connection.state.receive == .ending {
            connection.state.receive = .ending
            cancel(.receive, of: connection)
        }
        if connection.state.send == .ordinary { cancel(.send, of: connection) }
        if connection.state.flags.contains(.connects) { cancel(.connect, of: connection) }
    }

    /// Moves to `free`: closes the descriptor once the kernel has answered everything.
    func closeIfIdle(_ connection: ConnectionSlot) {
        guard connection.state.phase == .reported, connection.state.operationCount == 0,
            connection.state.send != .batched
        else { return }
        releaseMemory(connection)
        guard connection.state.send != .carried else { return leaveCarrier(connection) }
        driver.close(connection.state.descriptor, slot: connection.state.slot)
        state.connections.remove(connection)
        statistics.connections.addShared(-1)
        retryAccepting()
    }

    /// Gives back everything that a connection has beside its slot.
    func releaseMemory(_ connection: ConnectionSlot) {
        releaseHeldInput(connection)
        releaseSendQueue(connection)
        releaseTLS(connection)
    }
}
