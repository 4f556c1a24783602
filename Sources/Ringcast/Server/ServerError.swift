public import Reactor

/// Why a server cannot be made or run, in one sentence that says what to do.
public struct ServerError: Error, Hashable, CustomStringConvertible {
    /// The sentence.
    public let description: String
    /// What kind of thing went wrong.
    public let code: Code

    /// An error with this sentence.
    public init(_ description: String, code: Code = .other) {
        self.description = description
        self.code = code
    }

    init(_ error: ReactorError) { self.init(error.description, code: error.code) }

    /// A kind of error, to be switched on: those of loops and listeners, and a server's own.
    public typealias Code = ReactorError.Code
}

extension ReactorError.Code {
    /// The server has run already.
    public static let alreadyRun = Self(name: "alreadyRun")
    /// A node of the cluster has not answered in time.
    public static let clusterSilent = Self(name: "clusterSilent")
    /// None of the others.
    public static let other = Self(name: "other")
}
