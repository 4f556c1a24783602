/// How loops talk to the kernel.
public enum DriverKind: String, Hashable, Sendable, CustomStringConvertible {
    case uring = "io_uring"
    case epoll

    /// As the kernel's documentation writes it.
    public var description: String { rawValue }
}

/// The driver that a group's loops will have, chosen before anything else is made.
struct SelectedDriver: Sendable {
    let kind: DriverKind
    /// What was chosen where there was a choice, and who refuses io_uring; nil: it was asked for.
    let announcement: String?
    /// There exactly for io_uring.
    private let capabilities: UringCapabilities?

    /// - Parameter probe: tries whether io_uring does what is needed of it.
    /// - Throws: the driver that was asked for does not work here.
    init(
        _ choice: DriverChoice, probe: () throws(ReactorError) -> UringCapabilities = UringCapabilities.probe
    ) throws(ReactorError) {
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

    var gathersCompletions: Bool { capabilities?.gathersCompletions ?? false }

    /// A loop's own, made on its thread.
    func make() throws(ReactorError) -> any Driver {
        do {
            if let capabilities { return try UringDriver(capabilities: capabilities) }
            return try EpollDriver()
        } catch {
            throw kind == .uring ? .noRing(error) : ReactorError("a loop could not be set up with epoll: \(error)")
        }
    }
}
