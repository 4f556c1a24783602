import Synchronization
import WebSocketProtocol

/// Messages on their way from the loop to whoever reads them. At a bound the socket is paused, so that the peer feels
/// a slower reader.
extension ClientChannel {
    /// Hands a message over, and tells whether the socket is to be paused. Called on the loop.
    func received(_ message: OwnedMessage) -> Bool {
        let (reader, pauses) = state.withLock { state in
            if let reader = state.readers.popFirst() { return (reader as Waiter?, false) }
            state.inbox.append(message)
            state.inboxByteCount += message.byteCount
            let isFull = state.inbox.count >= inboxLimits.messages || state.inboxByteCount >= inboxLimits.bytes
            defer { if isFull { state.isPaused = true } }
            return (nil, isFull && !state.isPaused)
        }
        reader?.resume(.success(message))
        return pauses
    }

    /// The next message; nil at a normal end.
    func read() async throws(WebSocketClientError) -> OwnedMessage? {
        let result = await state.wait(
            in: \.readers,
            unless: { [self] state in
                if let message = take(&state) { return .success(message) }
                return state.ending == nil ? nil : state.lastRead
            },
            onCancel: { .failure(.cancelled) })
        let message = try result.get()
        if let findPosition, let message, let position = findPosition(message) {
            state.withLock { $0.position = position }
        }
        return message
    }

    /// Takes a message, and ends the pause when half of the bound is free. Called under the lock.
    private func take(_ state: inout State) -> OwnedMessage? {
        guard let message = state.inbox.popFirst() else { return nil }
        state.inboxByteCount -= message.byteCount
        if state.isPaused, state.inbox.count <= inboxLimits.messages / 2, state.inboxByteCount <= inboxLimits.bytes / 2
        {
            state.isPaused = false
            // The loop reads on in one of its next turns.
            state.reference?.lifeline.run { $0.release(.paused) }
        }
        return message
    }
}
