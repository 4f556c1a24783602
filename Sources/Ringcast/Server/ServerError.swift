/// Why a server cannot be made or run, in one sentence that says what to do.
public struct ServerError: Error, Hashable, CustomStringConvertible {
    /// The sentence.
    public let message: String

    /// An error with this sentence.
    public init(_ message: String) { self.message = message }

    /// The sentence.
    public var description: String { message }
}
