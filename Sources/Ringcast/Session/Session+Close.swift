import Reactor
import WebSocketProtocol

/// How a socket ends. Whoever ends it first decides what the peer hears:
///
///     close      a Close frame behind what is queued; the peer's is waited for
///     peerEnded  the peer's Close is answered, or its FIN taken, behind the messages before it
///     fail       a Close frame with the cause, and no waiting
///     terminate  nothing, at the end of the turn
///
/// and all of them come to `end`, once.
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
        if traits.contains(.events) { return endEvents() }
        var code = code
        if code == .abnormalClosure || code == .tlsHandshakeFailure { return terminate() }
        if !code.isSendable, code != .noStatusReceived {
            loop.report(
                .closeCode, "a WebSocket was to be closed with \(code), which cannot be sent: 1000 is", metadata)
            code = .normalClosure
        }
        if isOwn { makeExtras().ownEnding = (code, reason) }
        sendClose(code == .noStatusReceived ? nil : code, reason: reason)
        // The peer's Close has to be read.
        release([.paused, .inboxFull, .throttled])
        extras?.inbox?.removeAll()
        connection.setDeadline(loop.now + withKind { $0.closeTimeout })
    }

    /// Ends the socket without a Close frame, at the end of this turn: a handler of this loop may be running now.
    func terminate() {
        guard phase < .terminated else { return }
        leaveTopics()
        enter(.terminated)
        extras?.lifeline?.beginClosing()
        extras?.inbox?.removeAll()
        loop.endAtTurnsEnd(self)
    }

    /// Fails the connection (RFC 6455 §7.1.7): a Close frame with the cause, then the end. The peer's answer is not
    /// waited for. Without effect on a socket that is terminated, which ends with this turn.
    func fail(_ code: CloseCode, reason: String) {
        guard phase != .terminated else { return }
        let isFirst = isOpen
        if isFirst { sendClose(code, reason: reason) }
        let connection = connection
        end(isFirst ? code : .abnormalClosure, reason: reason)
        connection.close()
    }

    /// Queues the Close frame. Its body is a code and a reason cut to 123 bytes (§5.5); no code, no body.
    private func sendClose(_ code: CloseCode?, reason: String) {
        settleFanOut()
        leaveTopics()
        enter(.closing)
        extras?.lifeline?.beginClosing()
        var body: [UInt8] = []
        loop.events.closesSent.count(code ?? .noStatusReceived)
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

/// How a peer ends its side.
enum PeerEnding {
    /// Its Close frame (§5.5.1).
    case close(CloseCode?, reason: String)
    /// Its FIN, without a Close.
    case endOfInput
}

extension Session {
    /// Ends the socket since the peer has ended its side, behind the messages that came before.
    func peerEnded(_ ending: PeerEnding) {
        guard phase != .terminated else { return }
        if case .close(let code, _) = ending {
            flags.insert(.heardClose)
            loop.events.closesReceived.count(code ?? .noStatusReceived)
        }
        if let inbox = extras?.inbox, inbox.task != nil {
            // Messages are still being handled: the end comes behind them, or at the deadline of a close.
            inbox.ending = ending
            hold(.peerEnded)
            if isOpen { connection.setDeadline(loop.now + withKind { $0.closeTimeout }) }
            return
        }
        finish(ending)
    }

    /// Ends the socket if the peer's end has waited for messages to be handled.
    /// - Returns: whether it has.
    @discardableResult
    func finishPostponed() -> Bool {
        guard let ending = extras?.inbox?.ending else { return false }
        finish(ending)
        return true
    }

    /// Answers the peer's Close with its code, unless this side's was first, and ends the socket.
    private func finish(_ ending: PeerEnding) {
        let connection = connection
        switch ending {
        case .close(let code, let reason):
            if isOpen { sendClose(code, reason: "") }
            let (closesLast, loop) = (traits.contains(.masks), loop)
            end(code ?? .noStatusReceived, reason: code == nil ? "" : reason)
            if closesLast { return loop.awaitServersEnd(of: connection) }
        case .endOfInput: end(.abnormalClosure, reason: "")
        }
        connection.close()
    }

    /// Ends the socket since its connection is gone.
    func connectionEnded(_ reason: String) {
        if !finishPostponed() { end(.abnormalClosure, reason: reason) }
    }

    /// Runs the close handler, ends the subscriptions and frees the session. Its connection is the caller's to close.
    /// Never called while a handler of this session runs.
    ///
    /// The handler gets the code that a rule of this endpoint has sent, whatever became of it, and 1006 of a socket
    /// that was terminated, whatever the peer has said.
    func end(_ code: CloseCode, reason: String) {
        let (code, reason) = phase == .terminated ? (.abnormalClosure, "") : extras?.ownEnding ?? (code, reason)
        if !flags.contains(.heardClose) { loop.events.closesReceived.count(.abnormalClosure) }
        settleFanOut()  // what was published before is still for this socket
        leaveTopics()
        enter(.closed)
        extras?.lifeline?.close()
        extras?.inbox?.task?.cancel()
        extras?.tasks?.cancelAll()
        do { try withHandlers { try $0.close(self, code, reason) } } catch { handlerFailed(error) }
        let loop = loop
        if traits.contains(.events) { loop.eventStreamCount -= 1 }
        endSubscriptions()
        loop.sessions.remove(self)
        dropBacklog()
        unsafe connection.context = nil
        deallocate()
    }
}

extension String {
    /// The longest prefix of at most `count` UTF-8 bytes that ends at a character's boundary.
    package func prefix(utf8Count count: Int) -> Substring {
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
