import Synchronization
import WebSocketProtocol

/// Pings that a task waits for. Each has a number, which it carries unless it was given a payload, and its waiter is
/// resumed once: by whoever takes it out of `State.pings` under the lock.
extension ClientChannel {
    /// Sends a ping, and returns when its pong has come.
    /// - Parameter payload: what the ping carries; an empty one stands for its number.
    func ping(_ payload: [UInt8]) async throws(WebSocketClientError) {
        let number = state.withLock { state in
            state.lastPing += 1
            if !payload.isEmpty { state.note(payload, of: state.lastPing) }
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
                        self.sendPing(number, payload, session)
                    }
                }
            }
        } onCancel: {
            state.withLock { $0.pings.removeValue(forKey: number) }?.resume(.cancelled)
        }
        if let error { throw error }
    }

    /// Sends a ping, or lets `sendDuePing` do so once the peer has taken what there is, where the queue has no room:
    /// nobody is to wait for the pong of a ping that was never sent. Called on the loop.
    private func sendPing(_ number: UInt64, _ payload: [UInt8], _ session: Session) {
        let payload = payload.isEmpty ? Self.payload(number) : payload
        let result = WebSocket<ClientChannel>(session).ping(payload)
        guard result == .dropped, session.isOpen else { return }
        state.withLock { $0.isPingDue = true }
        session.oweDrain()
    }

    /// Sends one ping for all that had no room, since its pong counts for them too. Called on the loop.
    func sendDuePing(_ session: Session) {
        let due = state.withLock { state -> (UInt64, [UInt8])? in
            defer { state.isPingDue = false }
            guard state.isPingDue, let number = state.pings.keys.max() else { return nil }
            return (number, state.payloads.last { $0.number == number }?.payload ?? [])
        }
        if let (number, payload) = due { sendPing(number, payload, session) }
    }

    /// Resumes whoever waits for this pong. It counts for earlier pings too, also when the ping that it answers is not
    /// waited for any more (RFC 6455 §5.5.3: an endpoint may answer the most recent ping only). Called on the loop.
    func ponged(_ payload: RawSpan) {
        let bytes = unsafe payload.withUnsafeBytes { unsafe [UInt8]($0) }
        let waiters = state.withLock { state -> [Waiter<WebSocketClientError?>] in
            // A number that was never sent is the peer's own idea.
            guard let number = state.takePing(answeredBy: bytes), number <= state.lastPing else { return [] }
            return state.pings.keys.filter { $0 <= number }.compactMap { state.pings.removeValue(forKey: $0) }
        }
        waiters.forEach { $0.resume(nil) }
    }

    private static func payload(_ number: UInt64) -> [UInt8] {
        (0..<8).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }

    /// Sends a pong that nobody asked for, behind what was sent before. Nothing tells whether it had room.
    func pong(_ payload: [UInt8]) throws(WebSocketClientError) {
        let step = state.withLock { state -> Result<Reference?, WebSocketClientError> in
            state.ending.map { .failure($0.error) } ?? .success(state.reference)
        }
        try step.get()?.lifeline.run { session in
            self.flush(session)
            _ = WebSocket<ClientChannel>(session).pong(payload)
        }
    }
}

extension ClientChannel.State {
    /// So many payloads are remembered; a ping whose payload is forgotten is answered by the pong of a later one.
    private static var payloadLimit: Int { 64 }

    /// Remembers what a ping carries, cut as it is sent.
    fileprivate mutating func note(_ payload: [UInt8], of number: UInt64) {
        payloads.append((number, Array(payload.prefix(Session.longestControlPayload))))
        if payloads.count > Self.payloadLimit { payloads.removeFirst() }
    }

    /// The number of the ping that a pong answers, the newest one if several carry the same; nil if it carries nothing
    /// that was sent. Earlier payloads are forgotten.
    fileprivate mutating func takePing(answeredBy bytes: [UInt8]) -> UInt64? {
        let noted = payloads.last { $0.payload == bytes }?.number
        guard let number = noted ?? (bytes.count == 8 ? bytes.reduce(0) { $0 << 8 | UInt64($1) } : nil) else {
            return nil
        }
        payloads.removeAll { $0.number <= number }
        return number
    }
}
