import Reactor
import WebSocketProtocol

extension Session {
    /// Starts the closing handshake from this side (RFC 6455 §7.1.2). What is queued goes out first; the close handler
    /// runs when the peer's Close comes, or at the close deadline.
    func close(_ code: CloseCode, reason: String) {
        guard isOpen else { return }
        sendClose(code, reason: reason)
        // The peer's Close has to be read.
        release([.paused, .inputFull, .throttled])
        extras?.messageBacklog?.removeAll()
        connection.setDeadline(loop.now + withKind { $0.closeTimeout })
    }

    /// Ends the socket without a Close frame, at the end of this turn: a handler of this loop may be running now.
    func terminate() {
        guard !flags.contains(.terminated), !flags.contains(.closed) else { return }
        leaveTopics()
        flags.formUnion([.closing, .terminated])
        extras?.messageBacklog?.removeAll()
        loop.endAtTurnsEnd(self)
    }

    /// The peer's Close has come (§5.5.1). What came before it is handled before it.
    func peerClosed(_ code: CloseCode?, reason: String) {
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
    /// waited for.
    func fail(_ code: CloseCode, reason: String) {
        if isOpen { sendClose(code, reason: reason) }
        let connection = connection
        end(.abnormalClosure, reason: reason)
        connection.close()
    }

    /// Runs the close handler, ends the subscriptions and frees the session. Its connection is the caller's to close.
    /// Never called while a handler of this session runs.
    func end(_ code: CloseCode, reason: String) {
        settleFanOut()  // what was published before is still for this socket
        leaveTopics()
        flags.formUnion([.closing, .closed])
        extras?.lifeline?.close()
        extras?.messageBacklog?.task?.cancel()
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
