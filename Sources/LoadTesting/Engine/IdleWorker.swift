/// Opens connections, and leaves them alone.
final class IdleWorker: Worker, @unchecked Sendable {}
