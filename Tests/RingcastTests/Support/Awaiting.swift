import ReactorTesting
import Synchronization
import Testing

/// What an asynchronous call gives, for a test that blocks its thread.
func awaited<Value: Sendable>(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: @escaping @Sendable () async throws -> Value
) throws -> Value {
    let awaited = Awaited<Value>()
    Task(executorPreference: BlockingExecutor()) {
        let result: Result<Value, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        awaited.result.withLock { $0 = result }
    }
    let hasReturned = eventually { awaited.result.withLock { $0 != nil } }
    #expect(hasReturned, "it never returned", sourceLocation: sourceLocation)
    return try #require(awaited.result.withLock { $0 }, sourceLocation: sourceLocation).get()
}

private final class Awaited<Value: Sendable>: Sendable {
    let result = Mutex<Result<Value, any Error>?>(nil)
}
