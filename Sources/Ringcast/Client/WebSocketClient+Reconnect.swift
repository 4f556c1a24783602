import PubSub
import Synchronization

extension WebSocketClient {
    /// Sockets to one server, each when the one before has ended.
    ///
    ///     for try await socket in WebSocketClient.connections(to: request) {
    ///         do { for try await message in socket.messages { … } } catch { print(error) }
    ///     }
    ///
    /// Ends when a socket was closed from this side, or with a code that is final by the policy. An attempt that fails
    /// is repeated after the policy's delay; an error that is final by the policy is thrown.
    public static func connections(
        to request: ClientRequest, options: WebSocketOptions = WebSocketOptions(), group: ClientGroup? = nil,
        policy: ReconnectPolicy = ReconnectPolicy()
    ) -> Connections {
        Connections(request: request, options: options, group: group, policy: policy)
    }

    /// The sockets that `WebSocketClient.connections` makes.
    public struct Connections: AsyncSequence, Sendable {
        /// A socket that is open.
        public typealias Element = WebSocketClient
        /// Why there will be no other.
        public typealias Failure = WebSocketClientError

        let request: ClientRequest
        let options: WebSocketOptions
        let group: ClientGroup?
        let policy: ReconnectPolicy

        /// An iterator with connections, and a policy's state, of its own.
        public func makeAsyncIterator() -> Iterator { Iterator(connections: self) }

        /// Makes one socket after the other.
        public struct Iterator: AsyncIteratorProtocol, Sendable {
            let connections: Connections
            private var current: WebSocketClient?
            private var connectedAt: ContinuousClock.Instant?
            private var count = ReconnectCount()
            /// Of the last message that was read and has one, from whichever socket.
            private var position: Position?

            init(connections: Connections) { self.connections = connections }

            /// The next socket, connected, for which it waits; nil when there will be no other. Closes the one before.
            /// - Throws: what is final by the policy, or comes too often; `.cancelled`; `.invalidRequest` where a
            ///   policy makes no sense.
            public mutating func next() async throws(WebSocketClientError) -> WebSocketClient? {
                try await next(isolation: nil)
            }

            /// The next socket, as by `next()`.
            public mutating func next(
                isolation actor: isolated (any Actor)?
            ) async throws(WebSocketClientError) -> WebSocketClient? {
                if let objection = connections.policy.objection { throw .invalidRequest(objection) }
                if let last = current {
                    current = nil
                    guard await mayFollow(last) else { return nil }
                }
                while true {
                    if count.waits > 0 { try await backOff() }
                    do throws(WebSocketClientError) {
                        let channel = ClientChannel(connections.options, findPosition: connections.policy.position)
                        let socket = try await WebSocketClient.connect(
                            nextRequest, over: channel, connections.options, connections.group)
                        current = socket
                        connectedAt = .now
                        return socket
                    } catch {
                        count.noteFailedAttempt()
                        let isLast = connections.policy.maxAttempts.map { count.failures >= $0 } ?? false
                        if isLast || connections.policy.isFinalError(error) { throw error }
                    }
                }
            }

            /// The request, behind what was read.
            private var nextRequest: ClientRequest {
                guard let position else { return connections.request }
                var request = connections.request
                request.url = request.url.setting(
                    queryItem: connections.policy.positionName, to: String(position))
                return request
            }

            /// Whether another socket comes behind this one, which is closed by then.
            private mutating func mayFollow(_ last: WebSocketClient) async -> Bool {
                guard !last.wasClosedHere else { return false }
                position = last.channel.state.withLock { $0.position } ?? position
                let policy = connections.policy
                let lasted = connectedAt.map { ContinuousClock.now - $0 } ?? .zero
                count.noteEnd(isStable: lasted >= policy.stableTime)
                if let code = last.closeCode { return !policy.isFinal(code) }
                // Whoever asks for the next socket has done with this one.
                await last.close(.goingAway)
                return true
            }

            private func backOff() async throws(WebSocketClientError) {
                var generator = SystemRandomNumberGenerator()
                let delay = connections.policy.delay(afterFailures: count.waits, using: &generator)
                let group = if let group = connections.group { group } else { try ClientGroup.shared.get() }
                try await group.wait(for: delay)
            }
        }
    }

    /// Whether `close` was called on this side.
    var wasClosedHere: Bool { channel.state.withLock { $0.closesItself } }
}

/// What a row of connections has come to, since the last socket that lasted.
struct ReconnectCount: Sendable {
    /// Attempts in a row that have failed, sockets that did not last among them.
    private(set) var failures = 0
    /// Waits in a row without a socket that lasted: each is longer than the one before.
    private(set) var waits = 0

    mutating func noteFailedAttempt() {
        failures += 1
        waits += 1
    }

    /// - Parameter isStable: whether the socket that has ended has lasted for the policy's `stableTime`.
    mutating func noteEnd(isStable: Bool) {
        failures = isStable ? 0 : failures + 1
        waits = isStable ? 1 : waits + 1
    }
}
