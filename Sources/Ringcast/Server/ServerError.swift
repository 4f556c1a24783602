/// Why a server cannot be made or run, in one sentence that says what to do.
public struct ServerError: Error, Hashable, CustomStringConvertible {
    public let message: String

    public init(_ message: String) { self.message = message }

    public var description: String { message }
}
