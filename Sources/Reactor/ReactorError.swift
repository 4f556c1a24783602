internal import SystemCalls

/// Why loops could not be set up: one sentence that says what to do.
public struct ReactorError: Error, Hashable, CustomStringConvertible {
    /// The sentence, for an operator's eyes.
    public let description: String
    /// What kind of thing went wrong.
    public let code: Code

    package init(_ description: String, _ code: Code = .invalidConfiguration) {
        self.description = description
        self.code = code
    }

    /// A kind of error, to be switched on. More may come: a `switch` needs a `default`. A server has a few of its own.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code's name, for logs.
        public let name: String
        /// As `name`.
        public var description: String { name }

        package init(name: String) { self.name = name }

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
    }
}

extension ReactorError {
    /// What the kernel's refusal of a ring means here.
    static func noRing(_ error: SystemError) -> ReactorError {
        ReactorError(RingRefusal.current(error).description, .noDriver)
    }

    static func noEpoll(_ error: SystemError) -> ReactorError {
        ReactorError(
            error == .tooManyOpenFiles ? tooFewOpenFiles : "a loop could not be set up with epoll: \(error)",
            error == .tooManyOpenFiles ? .outOfResources : .noDriver)
    }

    static let tooFewOpenFiles =
        "the limit of open files is too low for the loops: raise it with ulimit -n or LimitNOFILE=, or use fewer loops"

    static func noThread(_ error: SystemError) -> ReactorError {
        ReactorError(
            "a loop's thread could not be started (\(error)): raise the limit of processes (ulimit -u, a container's "
                + "--pids-limit, systemd's TasksMax=), or use fewer loops", .outOfResources)
    }

    static func cannotListen(host: String, port: Int, _ error: SystemError) -> ReactorError {
        switch error {
        case .addressInUse:
            ReactorError("port \(port) is taken: stop the other server, or choose another port", .addressInUse)
        case .accessDenied, .notPermitted:
            ReactorError(
                "port \(port) needs a permission that this process lacks: choose a port from 1024 up, or grant "
                    + "CAP_NET_BIND_SERVICE", .notPermitted)
        case .addressNotAvailable:
            ReactorError("\(host) is not an address of this machine", .cannotListen)
        default:
            ReactorError("cannot listen on \(host) port \(port): \(error)", .cannotListen)
        }
    }
}
