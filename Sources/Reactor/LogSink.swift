/// Where loops say what an operator should know. Called on a loop's thread: it must not block.
public typealias LogSink = @Sendable (LogLevel, String) -> Void

/// How much a message matters.
public enum LogLevel: Sendable {
    /// In ascending order.
    case info, notice, warning, error
}
