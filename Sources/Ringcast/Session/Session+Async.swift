import Logging
import Reactor
import WebSocketProtocol

/// Asynchronous message handling: messages wait in the session's inbox, a task on its loop takes one after the other.
///
/// The task knows the session by its lifeline only, and asks for it between two messages: what it finds then is true
/// until its next `await`, since both run on the loop.
extension Session {
    /// Queues a message for `handle`, and stops reading once the inbox is full.
    func handleLater(
        _ message: OwnedMessage, by handle: @escaping @Sendable (OwnedMessage) async throws -> Void
    ) {
        let inbox = makeInbox()
        inbox.append(message)
        if isFull(inbox) { hold(.inboxFull) }
        guard inbox.task == nil else { return }
        let lifeline = lifeline
        inbox.task = Task(executorPreference: loop.eventLoop.executor) {
            while let message = lifeline.session?.nextWaitingMessage() {
                do { try await handle(message) } catch { lifeline.failed("a message handler", error) }
            }
        }
    }

    /// Takes the next message for the task. If there is none the task is over, and so may be the session: an end that
    /// waited for the messages comes now.
    fileprivate func nextWaitingMessage() -> OwnedMessage? {
        guard let inbox = extras?.inbox else { return nil }
        if let message = inbox.popFirst() {
            if !isFull(inbox) { release(.inboxFull) }
            return message
        }
        inbox.task = nil
        // The work was a sign of life; the idle time begins anew.
        noteInbound(at: loop.now)
        if phase != .terminated { finishPostponed() }
        return nil
    }

    /// Whether as many messages wait as may, or as many bytes as one message may have.
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

extension SocketLifeline {
    /// The socket, for code that runs on its loop; nil elsewhere, and once it is closed.
    var session: Session? {
        guard current != .closed, let here = core.currentLoop, here.eventLoop.index == loop else { return nil }
        return here.sessions.find(slot: slot, serial: serial)
    }

    /// Tells the error handler; once the socket is closed there is nobody to be told.
    /// - Parameter who: what has thrown, for the log.
    func failed(_ who: String, _ error: any Error) {
        if let session { return session.handlerFailed(error) }
        // What a task throws that was cancelled with its socket is no fault.
        let metadata: Logger.Metadata = ["socket": "\(core.id(ofSocket: serial, on: loop))"]
        let line = "\(who) threw after its WebSocket was closed: \(error)"
        guard !(error is CancellationError), let loop = core.currentLoop else {
            return core.log(.debug, line, metadata)
        }
        loop.report(.thrown(ObjectIdentifier(type(of: error))), line, metadata)
    }
}
