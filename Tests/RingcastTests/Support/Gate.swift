/// What a task of the server waits for, until the test opens it.
struct Gate: Sendable {
    private let stream: AsyncStream<Void>
    let opener: AsyncStream<Void>.Continuation

    init() { (stream, opener) = AsyncStream.makeStream() }

    /// Lets one wait go on.
    func open() { opener.yield() }

    /// False: the task was cancelled.
    func wait() async -> Bool {
        var iterator = stream.makeAsyncIterator()
        return await iterator.next() != nil && !Task.isCancelled
    }
}
