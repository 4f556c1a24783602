internal import IOUring

/// How loops talk to the kernel.
public enum DriverKind: String, Hashable, Sendable, CustomStringConvertible {
    case uring = "io_uring"
    case epoll

    /// As the kernel's documentation writes it.
    public var description: String { rawValue }
}

/// The driver that a group's loops will have, chosen before anything else is made.
enum SelectedDriver: Sendable {
    case uring(UringCapabilities)
    case epoll

    /// - Parameters:
    ///   - probe: tries whether io_uring does what is needed of it.
    ///   - log: told, at `notice`, what was chosen where there was a choice, and why.
    /// - Throws: the driver that was asked for does not work here.
    init(
        _ choice: DriverChoice, probe: () throws(ReactorError) -> UringCapabilities = UringCapabilities.probe,
        log: LoopLog
    ) throws(ReactorError) {
        switch choice {
        case .epoll: self = .epoll
        case .uring: self = .uring(try probe())
        case .automatic:
            do {
                self = .uring(try probe())
                log(.notice, "the driver is io_uring")
            } catch {
                self = .epoll
                log(.notice, "the driver is epoll, since \(error)")
            }
        }
    }

    var kind: DriverKind {
        switch self {
        case .uring: .uring
        case .epoll: .epoll
        }
    }

    var gathersCompletions: Bool {
        switch self {
        case .uring(let capabilities): capabilities.gathersCompletions
        case .epoll: false
        }
    }

    /// A loop's own, made on its thread.
    func make() throws(ReactorError) -> any Driver {
        do {
            switch self {
            case .uring(let capabilities): return try UringDriver(capabilities: capabilities)
            case .epoll: return try EpollDriver()
            }
        } catch {
            throw kind == .uring ? .noRing(error) : ReactorError("a loop could not be set up with epoll: \(error)")
        }
    }
}
