import Glibc
public import Reactor

/// What systemd, or who does as it does, tells a process by its environment: the sockets that it has handed over, where
/// it wants to hear of the process, and how often (sd_listen_fds(3), sd_notify(3), sd_watchdog_enabled(3)).
struct SystemdEnvironment {
    /// The first descriptor that is handed over.
    private static let firstDescriptor: Int32 = 3
    private static let mostDescriptors = 256

    private let value: (String) -> String?
    private let process: Int32

    /// - Parameters:
    ///   - process: whose environment it is: what is meant for another process has been inherited by mistake.
    ///   - value: that of a variable; nil if there is none.
    init(process: Int32, value: @escaping (String) -> String?) {
        self.process = process
        self.value = value
    }

    /// This process'.
    static var own: SystemdEnvironment {
        SystemdEnvironment(process: getpid()) { name in
            // Safe: the string is copied at once; nothing here changes the environment.
            guard let value = unsafe getenv(name) else { return nil }
            return unsafe String(cString: value)
        }
    }

    /// The descriptors of the sockets that were handed over.
    /// - Parameter name: those of this name alone (`FileDescriptorName=` of the socket unit); nil for all of them.
    /// - Throws: where the variables make no sense, or sockets have come and none has the name.
    func sockets(named name: String?) throws(ServerError) -> [Int32] {
        guard try isMeant(by: "LISTEN_PID"), let count = try number("LISTEN_FDS", upTo: Self.mostDescriptors) else {
            return []
        }
        let descriptors = (0..<count).map { Self.firstDescriptor + Int32($0) }
        guard let name, !descriptors.isEmpty else { return descriptors }
        let names = (value("LISTEN_FDNAMES") ?? "").split(separator: ":", omittingEmptySubsequences: false)
        guard names.count == count else {
            throw Self.fault("LISTEN_FDNAMES has \(names.count) names for the \(count) sockets of LISTEN_FDS")
        }
        let named = zip(names, descriptors).filter { $0.0 == name }.map(\.1)
        guard !named.isEmpty else {
            throw Self.fault(
                "no socket that was handed over has the name \(name): they are \(names.joined(separator: ", ")); "
                    + "FileDescriptorName= of the socket unit names one")
        }
        return named
    }

    /// Whoever wants to hear of the process; nil if nobody does.
    func notifier() throws(ServerError) -> SystemdNotifier? {
        guard let name = value("NOTIFY_SOCKET"), !name.isEmpty else { return nil }
        let socket: NotificationSocket
        do throws(ReactorError) {
            socket = try NotificationSocket(name: name)
        } catch {
            throw Self.fault("NOTIFY_SOCKET cannot be used: \(error)")
        }
        guard try isMeant(by: "WATCHDOG_PID", orIfAbsent: true),
            let microseconds = try number("WATCHDOG_USEC", upTo: 1 << 52), microseconds > 0
        else { return SystemdNotifier(socket: socket, interval: nil) }
        return SystemdNotifier(socket: socket, interval: .microseconds(microseconds) / 2)
    }

    /// Whether a variable names this process.
    private func isMeant(by name: String, orIfAbsent isMeant: Bool = false) throws(ServerError) -> Bool {
        guard let process = try number(name, upTo: Int(Int32.max)) else { return isMeant }
        return process == Int(self.process)
    }

    private func number(_ name: String, upTo most: Int) throws(ServerError) -> Int? {
        guard let text = value(name), !text.isEmpty else { return nil }
        guard let number = Int(text), 0...most ~= number else {
            throw Self.fault("\(name) is \(text): it has to be a number from 0 to \(most)")
        }
        return number
    }

    private static func fault(_ sentence: String) -> ServerError { ServerError(sentence, code: .invalidConfiguration) }
}

extension [Endpoint] {
    /// The listening sockets that systemd has handed to this process, as its `.socket` unit says them; none if it has
    /// handed over none, so that `endpoints: try .systemd()` leaves it to `hostname` and `port` then.
    ///
    /// How they are served is said at `Endpoint.inherited(descriptor:tls:)`. Any thread; to be called once for each
    /// name, since each socket belongs to one server. Reads `LISTEN_FDS`, `LISTEN_PID` and `LISTEN_FDNAMES`.
    /// - Parameters:
    ///   - name: only those of this name, which is `FileDescriptorName=` of the unit; nil for all.
    ///   - tls: the certificates to serve them with; nil for plain connections.
    /// - Throws: one sentence if the environment makes no sense, or sockets have come and none has the name.
    public static func systemd(
        named name: String? = nil, tls: TLSConfiguration? = nil
    ) throws(ServerError) -> [Endpoint] {
        try SystemdEnvironment.own.sockets(named: name).map { .inherited(descriptor: $0, tls: tls) }
    }
}
