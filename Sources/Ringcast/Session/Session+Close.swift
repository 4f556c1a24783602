import Reactor
import WebSocketProtocol

extension Session {
    /// Starts the closing handshake from this side (RFC 6455 §7.1.2). What is queued goes out first; the close handler
    /// runs when the peer's Close comes, or at the close deadline.
    ///
    /// Handlers relay codes that they were given, so every code means something: 1005, "the frame said none", sends an
    /// empty Close; 1006 and 1015, "no frame came", end the connection without one; 1000 stands for any other that may
    /// not be sent (§7.4).
    /// - Parameter isOwn: a rule of this endpoint ends the socket, and not its user: the close handler gets the code.
    func close(_ code: CloseCode, reason: String, isOwn: Bool = false) {
        guard isOpen else { return }
        var code = code
        if code == .abnormalClosure || code == .tlsHandshakeFailure { return terminate() }
        if !code.isSendable, code != .noStatusReceived {
            loop.report(.closeCode, "a WebSocket was to be closed with \(code), which cannot be sent: 1000 is")
            code = .normalClosure
        }
        if isOwn { makeExtras().ownEnding = (code, reason) }
        sendClose(code == .noStatusReceived ? nil : code, reason: reason)
        // The peer's Close has to be read.
        release([.paused, .inputFull, .throttled])
        extras?.inbox?.removeAll()
        connection.setDeadline(loop.now + withKind { $0.closeTimeout })
    }

    /// Ends the socket without a Close frame, at the end of this turn: a handler of this loop may be running now.
    func terminate() {
        guard !flags.contains(.terminated), !flags.contains(.closed) else { return }
        leaveTopics()
        flags.formUnion([.closing, .terminated])
        extras?.inbox?.removeAll()
        loop.endAtTurnsEnd(self)
    }

    /// The peer's Close has come (§5.5.1). What came before it is handled before it.
    func peerClosed(_ code: CloseCode?, reason: String) {
        guard !flags.contains(.terminated) else { return }
        flags.insert(.heardClose)
        if !postpone(.close(code, reason: reason)) { finishClose(code, reason: reason) }
    }

    /// Answers the peer's Close with its code, unless ours was first, and is done.
    func finishClose(_ code: CloseCode?, reason: String) {
        if isOpen { sendClose(code, reason: "") }
        let connection = connection
        let closesLast = flags.contains(.masks)
        let loop = loop
        end(code ?? .noStatusReceived, reason: code == nil ? "" : reason)
        if closesLast { loop.awaitServersEnd(of: connection) } else { connection.close() }
    }

    /// The peer has sent its FIN without a Close.
    func inputEnded() {
        guard !flags.contains(.terminated) else { return }
        if !postpone(.endOfInput) { finishInput() }
    }

    func finishInput() {
        let connection = connection
        end(.abnormalClosure, reason: "")
        connection.close()
    }

    /// The connection is gone.
    func connectionEnded(_ reason: String) {
        if !finishEnding() { end(.abnormalClosure, reason: reason) }
    }

    /// _Fail the WebSocket Connection_ (§7.1.7): a Close frame with the cause, then the end. The peer's answer is not
    /// waited for. Without effect on a socket that is terminated, which ends with this turn.
    func fail(_ code: CloseCode, reason: String) {
        guard !flags.contains(.terminated) else { return }
        let isFirst = isOpen
        if isFirst { sendClose(code, reason: reason) }
        let connection = connection
        end(isFirst ? code : .abnormalClosure, reason: reason)
        connection.close()
    }

    /// Runs the close handler, ends the subscriptions and frees the session. Its connection is the caller's to close.
    /// Never called while a handler of this session runs.
    ///
    /// The handler gets the code that a rule of this endpoint has sent, whatever became of it, and 1006 of a socket
    /// that was terminated, whatever the peer has said.
    func end(_ code: CloseCode, reason: String) {
        let isTerminated = flags.contains(.terminated)
        let (code, reason) = isTerminated ? (.abnormalClosure, "") : extras?.ownEnding ?? (code, reason)
        settleFanOut()  // what was published before is still for this socket
        leaveTopics()
        flags.formUnion([.closing, .closed])
        extras?.lifeline?.close()
        extras?.inbox?.task?.cancel()
        do { try withHandlers { try $0.close(self, code, reason) } } catch { handlerFailed(error) }
        let loop = loop
        endSubscriptions()
        loop.sessions.remove(self)
        dropBacklog()
        unsafe connection.context = nil
        deallocate()
    }

    /// Queues the Close frame. Its body is a code and a reason cut to 123 bytes (§5.5); no code, no body.
    private func sendClose(_ code: CloseCode?, reason: String) {
        settleFanOut()
        leaveTopics()
        flags.formUnion([.closing, .sentClose])
        var body: [UInt8] = []
        if let code {
            body = [UInt8(code.rawValue >> 8), UInt8(truncatingIfNeeded: code.rawValue)]
            body += reason.prefix(utf8Count: 123).utf8
        }
        // What waits was sent before the close: it goes out first.
        advanceBacklog(upTo: .max)
        // Safe: the frame is copied before the closure returns.
        unsafe body.withUnsafeBytes { unsafe queueFrame(.close, $0) }
    }
}

extension String {
    /// The longest prefix of at most `count` UTF-8 bytes that ends at a character's boundary.
    func prefix(utf8Count count: Int) -> Substring {
        guard utf8.count > count else { return self[...] }
        var end = startIndex
        while end < endIndex {
            let next = index(after: end)
            guard utf8.distance(from: startIndex, to: next) <= count else { break }
            end = next
        }
        return self[..<end]
    }
}
