/// Where loops say what an operator should know. Called on a loop's thread, where it must not block, and on the one
/// that makes the group or reloads certificates.
public typealias LogSink = @Sendable (LogLevel, String) -> Void

/// How much a message matters.
@nonexhaustive public enum LogLevel: Sendable {
    /// In ascending order.
    case info, notice, warning, error
}
