internal import IOUring

/// Why loops could not be set up: one sentence that says what to do.
public struct ReactorError: Error, Hashable, CustomStringConvertible {
    /// The sentence, for an operator's eyes.
    public let description: String

    package init(_ description: String) { self.description = description }
}

extension ReactorError {
    /// What the kernel's refusal of a ring means.
    static func noRing(_ error: SystemError) -> ReactorError {
        switch error {
        case .notPermitted, .accessDenied:
            ReactorError(
                "io_uring is blocked here (\(error)): allow io_uring_setup, io_uring_enter and io_uring_register in "
                    + "the container's seccomp profile, or set the sysctl kernel.io_uring_disabled to 0")
        case .notImplemented:
            ReactorError("this kernel has no io_uring: Linux 6.1 or newer is needed")
        case .invalidArgument:
            ReactorError("this kernel's io_uring is too old: Linux 6.1 or newer is needed")
        case .outOfMemory:
            ReactorError(
                "there is not enough lockable memory for io_uring (\(error)): raise the limit with ulimit -l, or use "
                    + "fewer loops")
        default:
            ReactorError("io_uring could not be set up: \(error)")
        }
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
