/// The way of bytes through a TLS session: received ones are decrypted before the handler gets them, queued ones become
/// records when the turn ends.
///
/// A record that is made is never made again: a send that falls short goes on with the same bytes, and nothing more is
/// encrypted before they are out.
extension EventLoop {
    /// Plain bytes that one flush makes records of; the rest waits for the next turn.
    private static let sealedPerFlush = 256 << 10
    /// Bytes of answers (tickets, key updates, alerts) that may wait for a peer which does not take them.
    private static let outputLimit = 64 << 10

    func receiveRecords(_ bytes: UnsafeRawBufferPointer, on connection: ConnectionSlot) {
        guard let session = connection.state.tls else { return }
        guard connection.state.phase < .closing else {
            return discard(bytes.count, from: connection)
        }
        if connection.state.phase == .handshaking {
            return unsafe receiveHandshake(bytes, on: connection, session)
        }
        unsafe session.setInput(bytes)
        readRecords(connection, session)
    }

    /// Decrypts what the session's input holds, and offers it to the handler.
    func readRecords(_ connection: ConnectionSlot, _ session: TLSSession) {
        defer { unsafe session.setInput(UnsafeRawBufferPointer(start: nil, count: 0)) }
        let scratch = unsafe state.tls.scratch()
        while connection.state.phase == .open {
            var count = 0
            var outcome = TLSSession.Outcome.done(0)
            while count < scratch.count, session.hasInput {
                outcome = unsafe session.read(into: UnsafeMutableRawBufferPointer(rebasing: scratch[count...]))
                guard case .done(let read) = outcome else { break }
                count += read
            }
            if count > 0 {
                unsafe offer(UnsafeMutableRawBufferPointer(rebasing: scratch[..<count]), of: nil, to: connection)
            }
            switch outcome {
            case .done where count > 0: continue
            case .done, .wantsInput: break
            case .ended: inputEnded(connection)
            case .failed(let why): return sessionBroke(connection, why)
            }
            if session.hasTooManyLateMessages { sessionBroke(connection, "too many key updates") }
            return
        }
    }

    private func sessionBroke(_ connection: ConnectionSlot, _ why: String) {
        guard connection.state.phase < .closing else { return }
        report("a TLS connection broke: \(why)", about: connection)
        connection.state.disconnectReason = .protocolError
        dropPlainBytes(connection)
        close(connection)
    }

    /// Room for a record that OpenSSL has made.
    func reserveRecord(_ count: Int, of session: TLSSession) -> UnsafeMutableRawPointer {
        if unsafe session.state.output == nil { unsafe session.state.output = unsafe state.sendQueues.take() }
        return unsafe session.state.output!.pointee.append(count, chunks: &state.chunks)
    }

    /// At the end of the turn: makes records of what is queued. Returns whether there is something to be sent.
    func seal(_ connection: ConnectionSlot) -> Bool {
        guard let session = connection.state.tls else { return false }
        let queue = unsafe connection.state.sendQueue
        // What an earlier flush has made goes first.
        if let queue = unsafe queue, unsafe queue.pointee.sealedPieceCount > 0 { return true }
        if let queue = unsafe queue, session.state.isEstablished, unsafe !encrypt(queue, session) {
            end(connection, .protocolError)
            return false
        }
        let isEmpty = unsafe queue?.pointee.isEmpty ?? true
        if isEmpty, connection.state.phase >= .closing { session.sayGoodbye() }
        guard let output = unsafe session.state.output else { return false }
        unsafe session.state.output = nil
        unsafe output.pointee.markSealed()
        if let queue = unsafe queue {
            unsafe output.pointee.takeAll(of: &queue.pointee)
            unsafe state.sendQueues.giveBack(queue)
        }
        unsafe connection.state.sendQueue = unsafe output
        return true
    }

    /// Returns false when the session is broken.
    private func encrypt(_ queue: UnsafeMutablePointer<SendQueue>, _ session: TLSSession) -> Bool {
        let scratch = unsafe state.tls.scratch()
        var sealed = 0
        while sealed < Self.sealedPerFlush, unsafe !queue.pointee.isEmpty {
            let bytes = unsafe queue.pointee.firstBytes(atMost: TLSRecord.plainByteCount, gatheredIn: scratch)
            guard unsafe session.write(bytes) else { return false }
            unsafe queue.pointee.removeFirst(bytes.count, chunks: &state.chunks) { giveBackLoan($0) }
            sealed += bytes.count
        }
        return true
    }

    /// Sends at the end of the turn what OpenSSL has made in answer to what came.
    func sendRecords(_ connection: ConnectionSlot) {
        guard let session = connection.state.tls, let output = unsafe session.state.output else { return }
        if unsafe output.pointee.byteCount > Self.outputLimit { return end(connection, .stalled) }
        markDirty(connection)
    }

    /// Whether records wait that are in no send queue yet.
    func hasRecords(_ connection: ConnectionSlot) -> Bool { unsafe connection.state.tls?.state.output != nil }

    /// What was never encrypted is not sent once the session is broken.
    func dropPlainBytes(_ connection: ConnectionSlot) {
        guard connection.state.send == .none,
            let queue = unsafe connection.state.sendQueue,
            unsafe queue.pointee.sealedPieceCount == 0
        else { return }
        releaseSendQueue(connection)
    }

    func discardRecords(of session: TLSSession) {
        guard let output = unsafe session.state.output else { return }
        unsafe session.state.output = nil
        unsafe output.pointee.removeAll(chunks: &state.chunks) { giveBackLoan($0) }
        unsafe state.sendQueues.giveBack(output)
    }
}
