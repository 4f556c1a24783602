import Logging
import ReactorTesting
import Ringcast
import Synchronization
import Testing

/// Serves on a free port of the loopback interface while `body` runs, then stops. Two loops, unpinned; new connections
/// go to each of them in turn, so that nothing depends on the kernel's hash.
func serving(
    _ change: (inout ServerConfiguration) -> Void = { _ in },
    fetch: @escaping @Sendable (borrowing Request) throws -> Reply,
    body: @Sendable (Server) throws -> Void
) async throws {
    try await run(try Server(configuration: testConfiguration(change), fetch: fetch), during: body)
}

/// Serves routes.
func serving(
    _ routes: Routes, _ change: (inout ServerConfiguration) -> Void = { _ in }, body: @Sendable (Server) throws -> Void
) async throws {
    try await run(try Server(configuration: testConfiguration(change), routes: routes), during: body)
}

private func testConfiguration(_ change: (inout ServerConfiguration) -> Void) -> ServerConfiguration {
    var configuration = ServerConfiguration(
        hostname: "127.0.0.1", port: 0, loops: .count(2), pinsThreads: false, placement: .balanced)
    configuration.logger.logLevel = .critical
    configuration.stop = StopTiming(window: .zero, deadline: .milliseconds(200))
    change(&configuration)
    return configuration
}

/// Runs a server while `body` does, both on threads of their own: `body` may block, and the server does not wait for
/// tests that keep Swift's pool busy.
func run(_ server: Server, during body: @Sendable (Server) throws -> Void) async throws {
    try await withThrowingTaskGroup { group in
        group.addTask(executorPreference: BlockingExecutor()) { try await server.run() }
        defer { server.stop() }
        try await withTaskExecutorPreference(BlockingExecutor()) { try body(server) }
        server.stop()
        try await group.waitForAll()
    }
}

/// Serves one kind of socket at every path.
func serving<ConnectionData: Sendable>(
    _ handlers: WebSocketHandlers<ConnectionData>, with data: ConnectionData,
    _ change: (inout ServerConfiguration) -> Void = { _ in },
    body: @Sendable (Server) throws -> Void
) async throws {
    try await serving(change, fetch: { _ in .upgrade(to: handlers, with: data) }, body: body)
}

func serving(
    _ handlers: WebSocketHandlers<Void>, _ change: (inout ServerConfiguration) -> Void = { _ in },
    body: @Sendable (Server) throws -> Void
) async throws {
    try await serving(handlers, with: (), change, body: body)
}

/// What handlers saw, in order, for a test on another thread.
final class Journal<Entry: Sendable & Equatable>: Sendable {
    private let list = Mutex<[Entry]>([])

    var entries: [Entry] { list.withLock { $0 } }

    func note(_ entry: Entry) { list.withLock { $0.append(entry) } }

    /// The entries, once there are so many.
    func wait(for count: Int = 1, sourceLocation: SourceLocation = #_sourceLocation) -> [Entry] {
        #expect(eventually { entries.count >= count }, "\(entries)", sourceLocation: sourceLocation)
        return entries
    }
}

/// Whether something becomes true within a minute, which is there for hanging only.
func eventually(_ condition: () -> Bool) -> Bool {
    let deadline = ContinuousClock.now + .seconds(60)
    while !condition() {
        guard ContinuousClock.now < deadline else { return false }
        pause(.milliseconds(2))
    }
    return true
}
