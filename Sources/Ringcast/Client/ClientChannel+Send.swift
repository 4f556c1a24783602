import Synchronization
import WebSocketProtocol

/// A message that a task has sent.
struct OutgoingMessage {
    let message: OwnedMessage
    let compress: Bool?
}

/// Messages on their way from tasks to the loop, which takes over all there are at once. Whoever sends faster than the
/// peer reads waits.
extension ClientChannel {
    /// With so many bytes under way to the loop, the next sender waits.
    private static let outboxLimit = 64 << 10
    /// What a message counts in `outboxByteCount`: more than its bytes, since an empty one costs memory too.
    private static func cost(of message: OwnedMessage) -> Int { message.byteCount + 16 }

    /// Hands a message over. Waits while the peer is behind; a cancellation meanwhile leaves the message unsent.
    func send(_ message: OwnedMessage, compress: Bool?) async throws(WebSocketClientError) {
        while true {
            let step = state.withLock { state -> Result<Reference?, WebSocketClientError>? in
                if let ending = state.ending { return .failure(ending.error) }
                guard !state.closesItself else { return .failure(.closed(.normalClosure, reason: "closed here")) }
                guard !state.isBehind(Self.outboxLimit) else { return nil }
                state.outbox.append(OutgoingMessage(message: message, compress: compress))
                state.outboxByteCount += Self.cost(of: message)
                defer { state.isFlushDue = true }
                return .success(state.isFlushDue ? nil : state.reference)
            }
            switch step {
            case .success(let reference):
                reference?.lifeline.run { self.flush($0) }
                return
            case .failure(let error): throw error
            case nil:
                let error = await state.wait(
                    in: \.senders,
                    // The outer nil says to wait, the inner one that there is no error.
                    unless: { $0.ending == nil && $0.isBehind(Self.outboxLimit) ? nil : .some(nil) },
                    onCancel: { .cancelled })
                if let error { throw error }
            }
        }
    }

    /// Gives everything to the socket, and closes it behind that if it is to be closed. Called on the loop.
    func flush(_ session: Session) {
        let messages = state.withLock { state in
            defer {
                state.outbox = []
                state.isFlushDue = false
            }
            return state.outbox
        }
        var rest = messages[...]
        var isBlocked = false
        while let next = rest.first {
            let result = WebSocket<ClientChannel>(session).send(next.message, compress: next.compress)
            isBlocked = isBlocked || result == .backpressure || result == .dropped
            // The queue is at its limit: the rest waits for `drained`, in order.
            if result == .dropped, session.isOpen { break }
            rest.removeFirst()
        }
        let (senders, closing) = state.withLock { state in
            state.outbox.insert(contentsOf: rest, at: 0)
            state.outboxByteCount = state.outbox.reduce(0) { $0 + Self.cost(of: $1.message) }
            // Only what was sent tells whether the socket is behind.
            if !messages.isEmpty { state.isBlocked = isBlocked }
            let closing = state.outbox.isEmpty ? state.closing.take() : nil
            return (state.isBlocked ? [] : state.senders.takeAll(), closing)
        }
        if let closing { session.close(closing.code, reason: closing.reason) }
        if !rest.isEmpty { session.oweDrain() }
        senders.forEach { $0.resume(nil) }
    }

    /// Goes on when the peer has taken everything. Called on the loop.
    func drained() {
        let (hasMore, reference, senders) = state.withLock { state in
            state.isBlocked = false
            let hasMore = !state.outbox.isEmpty || state.isPingDue
            return (hasMore, state.reference, state.senders.takeAll())
        }
        if hasMore {
            reference?.lifeline.run { session in
                self.flush(session)
                self.sendDuePing(session)
            }
        }
        senders.forEach { $0.resume(nil) }
    }
}

extension ClientChannel.State {
    /// Whether a sender has to wait, because of the peer, or since `limit` bytes are under way to the loop.
    func isBehind(_ limit: Int) -> Bool { isEnding || isBlocked || outboxByteCount >= limit }
}
