/// The life of a TLS session: it begins with its connection (or with `startTLS`), shakes hands, and says goodbye in
/// front of the FIN. Its records are in `EventLoop+Records.swift`.
extension EventLoop {
    /// A connection that a TLS listener accepted: the handler hears of it once the handshake is done.
    func beginTLS(_ connection: ConnectionSlot, _ server: TLSServer) {
        connection.state.move(to: .handshaking)
        connection.state.flags.insert(.unannounced)
        // Asked before anything is spent: a session takes memory, and a handshake some hundred microseconds.
        guard unsafe handler.accepts(Connection(connection)) else { return end(connection, .local) }
        let context = server.current
        connection.state.tls = TLSSession(context, loop: self)
        armReceive(connection)
        timers.schedule(connection.state.slot, at: now + server.handshakeTimeout)
    }

    /// Begins TLS as a client, on a connection that the handler knows already.
    func startTLS(_ connection: ConnectionSlot, _ client: TLSClient, hostname: String) -> Bool {
        guard connection.state.phase == .open, connection.state.tls == nil, unsafe connection.state.sendQueue == nil
        else { return false }
        let session = TLSSession(client.context, loop: self)
        connection.state.tls = session
        connection.state.move(to: .handshaking)
        session.expect(hostname)
        advanceHandshake(connection, session)
        sendRecords(connection)
        return true
    }

    /// Takes the peer's bytes of a handshake. Beyond the turn's bound on steps they wait, first come first served.
    func receiveHandshake(_ bytes: UnsafeRawBufferPointer, on connection: ConnectionSlot, _ session: TLSSession) {
        guard session.state.waiting.isEmpty, state.tls.takeStep(in: statistics.turns.value) else {
            unsafe session.state.waiting.append(contentsOf: bytes)
            if session.state.waiting.count > Self.heldByteLimit {
                return handshakeFailed(connection, "too many bytes for a handshake")
            }
            return markReady(connection)
        }
        unsafe session.setInput(bytes)
        advanceHandshake(connection, session)
        readRecords(connection, session)
    }

    /// Goes on with bytes of a handshake that have waited.
    func continueHandshake(_ connection: ConnectionSlot) {
        guard let session = connection.state.tls, !session.state.waiting.isEmpty else { return }
        guard state.tls.takeStep(in: statistics.turns.value) else { return markReady(connection) }
        let bytes = session.state.waiting
        session.state.waiting = []
        unsafe bytes.withUnsafeBytes { bytes in
            unsafe session.setInput(bytes)
            advanceHandshake(connection, session)
            readRecords(connection, session)
        }
    }

    private func advanceHandshake(_ connection: ConnectionSlot, _ session: TLSSession) {
        switch session.shakeHands() {
        case .done: handshakeDone(connection, session)
        case .wantsInput: break
        case .ended: handshakeFailed(connection, "the peer ended the handshake")
        case .failed(let why): handshakeFailed(connection, why)
        }
    }

    private func handshakeDone(_ connection: ConnectionSlot, _ session: TLSSession) {
        session.state.isEstablished = true
        statistics.handshakes.add(1)
        if session.isResumed { statistics.resumptions.add(1) }
        connection.state.move(to: .open)
        if connection.state.flags.contains(.unannounced) {
            connection.state.flags.remove(.unannounced)
            timers.cancel(connection.state.slot)
            unsafe handler.opened(Connection(connection))
        } else if unsafe connection.state.heldInput != nil {
            // Whoever can write into the stream before it is secured could put words into the server's mouth.
            handshakeFailed(connection, "plain bytes came in front of the handshake")
        } else {
            unsafe handler.secured(Connection(connection))
        }
        if unsafe connection.state.sendQueue != nil { markDirty(connection) }
    }

    /// Sends the alert that says why, then the FIN.
    private func handshakeFailed(_ connection: ConnectionSlot, _ why: String) {
        guard connection.state.phase < .closing else { return }
        noteFailure(connection, why)
        if !connection.state.flags.contains(.unannounced) { connection.state.tls?.state.failure = why }
        dropPlainBytes(connection)
        close(connection)
    }

    /// Tells the handler why there is no TLS, once, and behind the alert: a handler that hears of it may end the
    /// process, and the peer would never learn why.
    func tellFailure(_ connection: ConnectionSlot) {
        guard let session = connection.state.tls, let why = session.state.failure else { return }
        session.state.failure = nil
        unsafe handler.securingFailed(Connection(connection), why)
    }

    /// The peer has gone in the middle of a handshake. The log gets no line: probes of load balancers do it all day.
    func handshakeCut(_ connection: ConnectionSlot) {
        statistics.handshakeFailures.add(1)
        if !connection.state.flags.contains(.unannounced) {
            unsafe handler.securingFailed(Connection(connection), "the peer closed the connection in the handshake")
        }
        end(connection, .peer)
    }

    /// Ends a handshake whose time is over, unless bytes of it wait for their turn: they may be all that was missing.
    func handshakeTimeIsOver(_ connection: ConnectionSlot) {
        if connection.state.flags.contains(.ready) {
            return timers.schedule(connection.state.slot, at: now + TimerWheel.tick)
        }
        noteFailure(connection, "it took too long")
        end(connection, .local)
    }

    private func noteFailure(_ connection: ConnectionSlot, _ why: String) {
        statistics.handshakeFailures.add(1)
        // A client's handler, which knows the connection, is told why: a line of the log would say it twice.
        guard connection.state.flags.contains(.unannounced) else { return }
        report("no TLS: \(why)", about: connection)
    }

    /// Logs what a peer has caused, within the bounds of `TLSWork.report`.
    func report(_ sentence: String, about connection: ConnectionSlot) {
        guard let line = state.tls.report(sentence, now: now) else { return }
        unsafe handler.log(.info, line, about: Connection(connection))
    }

    /// Ends the handshakes under way when the loop stops: connections that no handler knows have nothing to lose.
    func endHandshakes() {
        state.connections.forEach { if $0.state.flags.contains(.unannounced) { end($0, .local) } }
    }

    /// Sends what has to go out before the FIN, the session's goodbye (close_notify) or its last alert. Returns false
    /// while that is on its way: `finishWriting` comes again behind it.
    func finishRecords(_ connection: ConnectionSlot) -> Bool {
        guard let session = connection.state.tls else { return true }
        session.sayGoodbye()
        guard unsafe session.state.output != nil else { return true }
        markDirty(connection)
        return false
    }

    func releaseTLS(_ connection: ConnectionSlot) {
        guard let session = connection.state.tls else { return }
        connection.state.tls = nil
        discardRecords(of: session)
        session.end()
    }
}
