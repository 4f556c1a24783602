import Synchronization
import WebSocketProtocol

/// Pings that a task waits for. Each carries a number, and its waiter is resumed once: by whoever takes it out of
/// `State.pings` under the lock.
extension ClientChannel {
    /// Sends a ping, and returns when its pong has come.
    func ping() async throws(WebSocketClientError) {
        let number = state.withLock { state in
            state.lastPing += 1
            return state.lastPing
        }
        let error = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let step = state.withLock { state -> Result<Reference?, WebSocketClientError> in
                    if let ending = state.ending { return .failure(ending.error) }
                    // A cancellation from here on waits for the lock, and finds the waiter.
                    if Task.isCancelled { return .failure(.cancelled) }
                    state.pings[number] = Waiter(continuation: continuation)
                    return .success(state.reference)
                }
                switch step {
                case .failure(let error): continuation.resume(returning: error)
                case .success(let reference):
                    reference?.lifeline.run { session in
                        self.flush(session)
                        self.sendPing(number, session)
                    }
                }
            }
        } onCancel: {
            state.withLock { $0.pings.removeValue(forKey: number) }?.resume(.cancelled)
        }
        if let error { throw error }
    }

    /// Called on the loop. A queue that is over its limit takes no ping, and nobody is to wait for the pong of a ping
    /// that was not sent: it goes out when the peer has taken what there is.
    private func sendPing(_ number: UInt64, _ session: Session) {
        let result = WebSocket<ClientChannel>(session).ping(Self.payload(number))
        guard result == .dropped, session.isOpen else { return }
        state.withLock { $0.isPingDue = true }
        session.oweDrain()
    }

    /// Sends one ping for all that had no room, since its pong counts for them too. Called on the loop.
    func sendDuePing(_ session: Session) {
        let number = state.withLock { state -> UInt64? in
            defer { state.isPingDue = false }
            return state.isPingDue ? state.pings.keys.max() : nil
        }
        if let number { sendPing(number, session) }
    }

    /// Called on the loop. A pong counts for earlier pings too, also when the ping that it answers is not waited for
    /// any more (RFC 6455 §5.5.3: an endpoint may answer the most recent ping only).
    func ponged(_ payload: RawSpan) {
        let bytes = unsafe payload.withUnsafeBytes { unsafe [UInt8]($0) }
        guard bytes.count == 8 else { return }
        let number = bytes.reduce(0) { $0 << 8 | UInt64($1) }
        let waiters = state.withLock { state -> [Waiter<WebSocketClientError?>] in
            // A number that was never sent is the peer's own idea.
            guard number <= state.lastPing else { return [] }
            return state.pings.keys.filter { $0 <= number }.compactMap { state.pings.removeValue(forKey: $0) }
        }
        waiters.forEach { $0.resume(nil) }
    }

    private static func payload(_ number: UInt64) -> [UInt8] {
        (0..<8).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
}
