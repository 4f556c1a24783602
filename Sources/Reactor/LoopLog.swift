/// Where loops say what an operator should know. Called on a loop's thread: it must not block.
public typealias LoopLog = @Sendable (LogLevel, String) -> Void

public enum LogLevel: Sendable {
    case info, warning, error
}
