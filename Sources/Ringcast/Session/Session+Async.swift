import Reactor
import WebSocketProtocol

/// Asynchronous message handling: messages wait in the session's inbox, a task on its loop takes one after the other.
///
/// The task knows the session by its lifeline only, and asks for it between two messages: what it finds then is true
/// until its next `await`, since both run on the loop.
extension Session {
    /// Queues a message for `handle`, and stops reading at the bound.
    func handleLater(
        _ message: OwnedMessage, by handle: @escaping @Sendable (OwnedMessage) async throws -> Void
    ) {
        let inbox = makeInbox()
        inbox.append(message)
        if isFull(inbox) { hold(.inputFull) }
        guard inbox.task == nil else { return }
        let lifeline = lifeline
        inbox.task = Task(executorPreference: loop.loop.executor) {
            while let message = lifeline.session?.nextWaitingMessage() {
                do { try await handle(message) } catch { lifeline.messageHandlerFailed(error) }
            }
        }
    }

    /// The next message for the task. Nil: it is done, and an end that waited for it has come, with which the session
    /// may be gone.
    fileprivate func nextWaitingMessage() -> OwnedMessage? {
        guard let inbox = extras?.inbox else { return nil }
        if let message = inbox.popFirst() {
            if !isFull(inbox) { release(.inputFull) }
            return message
        }
        inbox.task = nil
        // The work was a sign of life; the idle time begins anew.
        noteInbound(at: loop.now)
        if !flags.contains(.terminated) { finishEnding() }
        return nil
    }

    /// By count, and by bytes: as much as one message may have.
    private func isFull(_ inbox: MessageInbox) -> Bool {
        withKind { inbox.count >= $0.maxWaitingMessages || inbox.byteCount >= $0.limits.maxPayloadLength }
    }

    private func makeInbox() -> MessageInbox {
        let extras = makeExtras()
        if let inbox = extras.inbox { return inbox }
        let inbox = MessageInbox()
        extras.inbox = inbox
        return inbox
    }
}

extension Session {
    /// The peer has ended its side. True: messages that came before are still being handled; the end comes behind them,
    /// or at the deadline of a close.
    func postpone(_ ending: MessageInbox.Ending) -> Bool {
        guard let inbox = extras?.inbox, inbox.task != nil else { return false }
        inbox.ending = ending
        hold(.inputOver)
        if isOpen { connection.setDeadline(loop.now + withKind { $0.closeTimeout }) }
        return true
    }

    /// Comes to the end that was postponed. False: none was.
    @discardableResult
    func finishEnding() -> Bool {
        guard let ending = extras?.inbox?.ending else { return false }
        switch ending {
        case .close(let code, let reason): finishClose(code, reason: reason)
        case .endOfInput: finishInput()
        }
        return true
    }
}

extension SocketLifeline {
    /// The socket, for code that runs on its loop; nil elsewhere, and once it is closed.
    fileprivate var session: Session? {
        guard current != .closed, let here = core.currentLoop, here.loop.index == loop else { return nil }
        return here.sessions.find(slot: slot, serial: serial)
    }

    /// Tells the error handler; once the socket is closed there is nobody to be told.
    fileprivate func messageHandlerFailed(_ error: any Error) {
        if let session { return session.handlerFailed(error) }
        // What a task throws that was cancelled with its socket is no fault.
        guard !(error is CancellationError), let loop = core.currentLoop else {
            return core.logDebug("a message handler threw after its WebSocket was closed: \(error)")
        }
        let kind = LogLimit.Kind.thrown(ObjectIdentifier(type(of: error)))
        loop.report(kind, "a message handler threw after its WebSocket was closed: \(error)")
    }
}
