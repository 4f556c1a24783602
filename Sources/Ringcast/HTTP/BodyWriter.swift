import Reactor

/// Writes the body of a streamed response (`Reply.stream`), in the order of the calls.
///
/// Used from any task and thread; on the connection's loop, where the body's task runs, it costs least. Once the body
/// has returned, or the connection has ended, every call throws.
public struct BodyWriter: Sendable {
    private let stream: LoopBound<BodyStream>
    private let core: SocketCore
    private let loop: Int

    init(_ stream: BodyStream, on loop: SocketLoop) {
        self.stream = LoopBound(stream, executor: loop.eventLoop.executor)
        core = loop.core
        self.loop = loop.eventLoop.index
    }

    /// Writes bytes, and waits while the client is behind: returns when the last of them is queued, with at most 256
    /// KiB that the kernel has not taken. The bytes are not copied before. They leave with the end of the loop's turn;
    /// in chunks, each call's are at least one.
    ///
    /// A call that waits is not ended by the cancellation of its task, since a part of its bytes may have left; the end
    /// of the connection ends it.
    /// - Throws: `CancellationError` when the client has left, or is cut since it takes nothing; when the task has been
    ///   cancelled before; when the bytes are more than the length that was given. Nothing can be written then.
    public func write(_ bytes: [UInt8]) async throws {
        try Task.checkCancellation()
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let job = LoopJob(byteCount: bytes.count) { loop in
                guard loop != nil else { return continuation.resume(throwing: CancellationError()) }
                stream.use { $0.write(bytes, continuation) }
            }
            core.run(job, on: loop)
        }
    }

    /// Writes text as UTF-8: see `write(_:)` of bytes. Costs a copy.
    /// - Throws: as that does.
    public func write(_ text: String) async throws { try await write([UInt8](text.utf8)) }
}
