internal import SystemCalls

/// Why loops could not be set up: one sentence that says what to do.
public struct ReactorError: Error, Hashable, CustomStringConvertible {
    /// The sentence, for an operator's eyes.
    public let description: String

    package init(_ description: String) { self.description = description }
}

extension ReactorError {
    /// What the kernel's refusal of a ring means here.
    static func noRing(_ error: SystemError) -> ReactorError {
        ReactorError(RingRefusal.current(error).description)
    }

    static func noEpoll(_ error: SystemError) -> ReactorError {
        ReactorError(
            error == .tooManyOpenFiles ? tooFewOpenFiles : "a loop could not be set up with epoll: \(error)")
    }

    static let tooFewOpenFiles =
        "the limit of open files is too low for the loops: raise it with ulimit -n or LimitNOFILE=, or use fewer loops"

    static func noThread(_ error: SystemError) -> ReactorError {
        ReactorError(
            "a loop's thread could not be started (\(error)): raise the limit of processes (ulimit -u, a container's "
                + "--pids-limit, systemd's TasksMax=), or use fewer loops")
    }

    static func cannotListen(host: String, port: Int, _ error: SystemError) -> ReactorError {
        switch error {
        case .addressInUse:
            ReactorError("port \(port) is taken: stop the other server, or choose another port")
        case .accessDenied, .notPermitted:
            ReactorError(
                "port \(port) needs a permission that this process lacks: choose a port from 1024 up, or grant "
                    + "CAP_NET_BIND_SERVICE")
        case .addressNotAvailable:
            ReactorError("\(host) is not an address of this machine")
        default:
            ReactorError("cannot listen on \(host) port \(port): \(error)")
        }
    }
}
