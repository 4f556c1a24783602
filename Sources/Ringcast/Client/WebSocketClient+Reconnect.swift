import Synchronization

extension WebSocketClient {
    /// Sockets to the same server, one after the other: the next when the last one has ended.
    ///
    ///     for try await socket in WebSocketClient.connections(to: request) {
    ///         do { for try await message in socket.messages { … } } catch { print(error) }
    ///     }
    ///
    /// Ends when a socket was closed from this side or with a code that is final by the policy. An attempt that fails
    /// is repeated after the policy's delay, or its error is thrown if it is final.
    public static func connections(
        to request: ClientRequest, options: WebSocketOptions = WebSocketOptions(), group: ClientGroup? = nil,
        policy: ReconnectPolicy = ReconnectPolicy()
    ) -> Connections {
        Connections(request: request, options: options, group: group, policy: policy)
    }

    /// See `WebSocketClient.connections`.
    public struct Connections: AsyncSequence, Sendable {
        public typealias Element = WebSocketClient
        public typealias Failure = WebSocketClientError

        let request: ClientRequest
        let options: WebSocketOptions
        let group: ClientGroup?
        let policy: ReconnectPolicy

        public func makeAsyncIterator() -> Iterator { Iterator(connections: self) }

        public struct Iterator: AsyncIteratorProtocol, Sendable {
            let connections: Connections
            private var current: WebSocketClient?
            private var connectedAt: ContinuousClock.Instant?
            /// Attempts in a row that have failed, sockets that did not last among them.
            private var failures = 0
            /// Waits in a row without a socket that lasted: each is longer than the one before.
            private var waits = 0

            init(connections: Connections) { self.connections = connections }

            public mutating func next() async throws(WebSocketClientError) -> WebSocketClient? {
                try await next(isolation: nil)
            }

            public mutating func next(
                isolation actor: isolated (any Actor)?
            ) async throws(WebSocketClientError) -> WebSocketClient? {
                if let last = current {
                    current = nil
                    guard await mayFollow(last) else { return nil }
                }
                while true {
                    if waits > 0 { try await pause() }
                    do throws(WebSocketClientError) {
                        let socket = try await WebSocketClient.connect(
                            connections.request, options: connections.options, group: connections.group)
                        current = socket
                        connectedAt = .now
                        return socket
                    } catch {
                        failures += 1
                        waits += 1
                        let isLast = connections.policy.maximumAttempts.map { failures >= $0 } ?? false
                        if isLast || connections.policy.isFinalError(error) { throw error }
                    }
                }
            }

            /// Whether another socket comes behind this one, which is closed if it is not yet.
            private mutating func mayFollow(_ last: WebSocketClient) async -> Bool {
                guard !last.wasClosedHere else { return false }
                let policy = connections.policy
                let lasted = connectedAt.map { ContinuousClock.now - $0 } ?? .zero
                let isStable = lasted >= policy.stableTime
                failures = isStable ? 0 : failures + 1
                waits = isStable ? 1 : waits + 1
                if let code = last.closeCode { return !policy.isFinal(code) }
                // Whoever asks for the next one has done with it.
                await last.close(.goingAway)
                return true
            }

            private func pause() async throws(WebSocketClientError) {
                var generator = SystemRandomNumberGenerator()
                let delay = connections.policy.delay(afterFailures: waits, using: &generator)
                let group = if let group = connections.group { group } else { try ClientGroup.shared.get() }
                try await group.wait(for: delay)
            }
        }
    }

    /// `close` was called on it.
    var wasClosedHere: Bool { channel.state.withLock { $0.closesItself } }
}
