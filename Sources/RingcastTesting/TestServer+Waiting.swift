public import Ringcast

/// What does not happen on the loops cannot be virtual: the server serves in real time until it has happened.
extension TestServer {
    /// Serves in real time until `condition` holds: for handlers that wait for other threads, for the network, or for a
    /// clock that is not `clock`. Virtual time stands still but for what is under way on the network.
    ///
    /// Better than to wait for a sleep is not to sleep: a handler that is given its clock sleeps by `clock` here, and
    /// `advance(by:)` ends that at once.
    /// - Parameters:
    ///   - timeout: of real time, against hanging only.
    ///   - isolation: the caller's, which it does not leave.
    ///   - condition: looked at whenever the server has come to rest.
    /// - Throws: `TestClientError.timedOut`, or `CancellationError`.
    public func serve(
        within timeout: Duration = .seconds(60), isolation: isolated (any Actor)? = #isolation,
        until condition: () -> Bool
    ) async throws {
        try await network.serve(within: timeout, isolation: isolation, until: condition)
    }

    /// Runs `body` elsewhere, and serves in real time until it returns: for what is asked of the server, or of a
    /// reference, with `await`. Nobody would answer it otherwise, since it is the test that turns the loops.
    ///
    ///     let members = try await app.serving { await $0.sockets(in: "lobby").count }
    ///
    /// - Parameters:
    ///   - timeout: of real time, against hanging only.
    ///   - isolation: the caller's, which it does not leave.
    ///   - body: what asks the server.
    /// - Throws: what `body` throws, `TestClientError.timedOut`, or `CancellationError`; `body` is cancelled then.
    public func serving<Value: Sendable>(
        within timeout: Duration = .seconds(60), isolation: isolated (any Actor)? = #isolation,
        _ body: @escaping @Sendable (Server) async throws -> Value
    ) async throws -> Value {
        let outcome = Outcome<Value>()
        let server = server
        let task = Task.detached {
            do { outcome.set(.success(try await body(server))) } catch { outcome.set(.failure(error)) }
        }
        defer { task.cancel() }
        try await network.serve(within: timeout, isolation: isolation) { outcome.value != nil }
        guard let value = outcome.value else { throw TestClientError.timedOut }
        return try value.get()
    }
}
