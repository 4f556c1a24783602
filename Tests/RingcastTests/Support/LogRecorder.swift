import Logging
import Synchronization

/// What a server logs, for a test.
final class LogRecorder: Sendable {
    private let list = Mutex<[(line: String, metadata: Logger.Metadata)]>([])

    /// As `level: message`, and behind it what a logger's metadata say, if any, in the order of their keys.
    var lines: [String] { list.withLock { $0.map(\.line) } }

    /// What each line's metadata say, the logger's and its own.
    var metadata: [[String: String]] { list.withLock { $0.map { $0.metadata.mapValues { "\($0)" } } } }

    /// A logger of this level that writes here.
    func logger(_ level: Logger.Level = .info) -> Logger {
        var logger = Logger(label: "test") { _ in Handler(recorder: self) }
        logger.logLevel = level
        return logger
    }

    private struct Handler: LogHandler {
        let recorder: LogRecorder
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let fields = metadata.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
            let all = metadata.merging(event.metadata ?? [:]) { _, own in own }
            recorder.list.withLock { $0.append(("\(event.level): \(event.message)\(fields)", all)) }
        }
    }
}
