/// How loops talk to the kernel.
@nonexhaustive public enum DriverKind: String, Hashable, Sendable, CustomStringConvertible {
    /// Rings of submissions and completions: one system call a turn.
    case uring = "io_uring"
    /// Readiness, and a system call for each receive and send: where io_uring is missing or forbidden.
    case epoll
    /// No kernel at all: connections in memory and virtual time, in tests.
    case simulated

    /// As the kernel's documentation writes it.
    public var description: String { rawValue }
}

/// The driver that a group's loops will have, chosen before anything else is made.
struct SelectedDriver: Sendable {
    let kind: DriverKind
    /// Says what was chosen, and who refuses io_uring; nil where there was no choice.
    let announcement: String?
    /// Nil exactly for epoll.
    private let capabilities: UringCapabilities?
    private let isForced: Bool

    /// - Parameter probe: tries whether io_uring does what is needed of it.
    /// - Throws: when the driver that was asked for does not work here.
    init(
        _ choice: DriverChoice, probe: () throws(ReactorError) -> UringCapabilities = UringCapabilities.probe
    ) throws(ReactorError) {
        isForced = choice != .automatic
        switch choice {
        case .epoll: (kind, capabilities, announcement) = (.epoll, nil, nil)
        case .uring: (kind, capabilities, announcement) = (.uring, try probe(), nil)
        case .automatic:
            do {
                (kind, capabilities, announcement) = (.uring, try probe(), "the driver is io_uring")
            } catch {
                (kind, capabilities, announcement) = (.epoll, nil, "the driver is epoll, since \(error)")
            }
        }
    }

    /// epoll, since io_uring turned out not to work.
    private init(since error: ReactorError) {
        (kind, capabilities, isForced) = (.epoll, nil, false)
        announcement = "the driver is epoll, since \(error)"
    }

    /// Makes loops with this driver; with epoll if io_uring was not asked for, and the kernel refuses the loops the
    /// ring that it gave to the probe: each takes its share of lockable memory and of open files.
    /// - Returns: what was made, and the driver it was made with.
    func used<Loops>(
        in make: (SelectedDriver) throws(ReactorError) -> Loops
    ) throws(ReactorError) -> (SelectedDriver, Loops) {
        do {
            return (self, try make(self))
        } catch {
            guard kind == .uring, !isForced else { throw error }
            let epoll = SelectedDriver(since: error)
            return (epoll, try make(epoll))
        }
    }

    var gathersCompletions: Bool { capabilities?.gathersCompletions ?? false }

    /// Makes one loop's driver, on its thread.
    func make() throws(ReactorError) -> any Driver {
        do {
            if let capabilities { return try UringDriver(capabilities: capabilities) }
            return try EpollDriver()
        } catch {
            throw kind == .uring ? .noRing(error) : .noEpoll(error)
        }
    }
}
