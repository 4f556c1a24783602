import HTTPProtocol

/// A streamed body under way, on its connection's loop: what is to be written of it, and the task that writes.
final class BodyStream {
    /// A call of `BodyWriter.write` whose bytes are not all queued.
    struct Write {
        let bytes: [UInt8]
        /// How many of them are queued.
        var position = 0
        let continuation: CheckedContinuation<Void, any Error>
    }

    let request: RequestSummary
    let framing: ResponseFraming
    /// Whether the connection may be kept behind it.
    let keepsAlive: Bool
    /// Bytes that are still to be written of a length that was given.
    private(set) var missingByteCount: Int?
    var task: Task<Void, Never>?
    /// What has become of the task, when it is done.
    var outcome: Result<Void, any Error>?
    /// The write whose bytes come next.
    var current: Write?
    private var waiting = FIFO<Write>()
    private weak var exchange: HTTPExchange?

    init(_ exchange: HTTPExchange, framing: ResponseFraming, keepsAlive: Bool, to request: RequestSummary) {
        self.exchange = exchange
        self.framing = framing
        self.keepsAlive = keepsAlive
        self.request = request
        missingByteCount = framing.byteCount
    }

    /// Queues bytes, or has them wait for room.
    func write(_ bytes: [UInt8], _ continuation: CheckedContinuation<Void, any Error>) {
        let write = Write(bytes: bytes, continuation: continuation)
        guard let exchange, exchange.stream === self, let connection = exchange.connection else {
            return write.continuation.resume(throwing: CancellationError())
        }
        // The connection is over, and its handler not told yet: what is sent is thrown away, so that the queue would
        // never fill, and a body that writes for ever would keep the loop.
        guard !connection.isClosing else {
            exchange.endStream()
            return write.continuation.resume(throwing: CancellationError())
        }
        waiting.append(write)
        guard let missingByteCount else { return exchange.advanceStream(on: connection) }
        guard bytes.count <= missingByteCount else {
            return exchange.cutStream("has more bytes than its length", on: connection)
        }
        self.missingByteCount = missingByteCount - bytes.count
        exchange.advanceStream(on: connection)
    }

    /// Makes the next write the current one, if there is none. Returns whether there is one now.
    func takeNext() -> Write? {
        if current == nil { current = waiting.popFirst() }
        return current
    }

    /// Cancels the task, and ends the writes that wait.
    func cancel() {
        task?.cancel()
        while let write = takeNext() {
            current = nil
            write.continuation.resume(throwing: CancellationError())
        }
    }
}
