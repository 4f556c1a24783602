import Reactor

/// Why a server cannot be made or run, in one sentence that says what to do.
public struct ServerError: Error, Hashable, CustomStringConvertible {
    /// The sentence.
    public let message: String
    /// What kind of thing went wrong.
    public let code: Code

    /// An error with this sentence.
    public init(_ message: String, code: Code = .other) {
        self.message = message
        self.code = code
    }

    init(_ error: ReactorError) { self.init(error.description, code: Code(name: error.code.name)) }

    /// The sentence.
    public var description: String { message }

    /// A kind of error, to be switched on. More may come: a `switch` needs a `default`.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code's name, for logs.
        public let name: String
        /// As `name`.
        public var description: String { name }

        /// Something in the configuration makes no sense, or asks for what there is not.
        public static let invalidConfiguration = Code(name: "invalidConfiguration")
        /// Somebody else listens on the port or the Unix socket.
        public static let addressInUse = Code(name: "addressInUse")
        /// This process may not listen there.
        public static let notPermitted = Code(name: "notPermitted")
        /// The address is none of this machine's, or cannot be listened on for another reason.
        public static let cannotListen = Code(name: "cannotListen")
        /// The kernel's interface that was asked for is not to be had here.
        public static let noDriver = Code(name: "noDriver")
        /// There are too few open files, threads or the like.
        public static let outOfResources = Code(name: "outOfResources")
        /// Certificates, keys or TLS itself cannot be used.
        public static let tls = Code(name: "tls")
        /// The server has run already.
        public static let alreadyRun = Code(name: "alreadyRun")
        /// None of the others.
        public static let other = Code(name: "other")
    }
}
