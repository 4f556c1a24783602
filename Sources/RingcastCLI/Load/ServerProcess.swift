import Glibc
import LoadTesting
import SystemCalls

/// `ringcast serve` in a child process.
final class ServerProcess {
    let pid: pid_t
    let url: String

    /// Starts the server on the calling thread's cores, and waits until it listens.
    /// - Parameters:
    ///   - order: the order of all topics' messages; without one `serve` decides.
    ///   - tls: a certificate to serve wss with; without one it serves ws.
    init(loops: Int, compress: Bool, order: ServeOptions.Order?, tls: SelfSigned?) throws {
        var ends: [Int32] = [0, 0]
        guard unsafe pipe(&ends) == 0 else {
            throw CommandFailure("no pipe for the server: \(Self.reason)")
        }
        // Without this flag the server would keep the reading end of its own output open.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[0]) }
        var arguments = ["ringcast", "serve", "--host", "127.0.0.1", "--port", "0", "--loops", "\(loops)"]
        if compress { arguments += ["--compression", "shared"] }
        if let order { arguments += ["--order", order.rawValue] }
        if let tls { arguments += ["--tls-cert", tls.certificate, "--tls-key", tls.key] }
        let pid: pid_t
        do {
            defer { close(ends[1]) }
            pid = try Self.spawn(arguments, output: ends[1])
        }
        self.pid = pid
        guard let line = Self.firstLine(from: ends[0]), let address = line.split(separator: " ").last,
            address.hasPrefix("http")
        else {
            kill(pid, SIGKILL)
            Self.reap(pid)
            throw CommandFailure("the server did not start: `ringcast serve` says why")
        }
        url = "ws" + address.dropFirst("http".count)
    }

    func stop() {
        kill(pid, SIGTERM)
        // The server has a second to stop; what it has to say has been measured.
        for _ in 0..<100 {
            var status: Int32 = 0
            if uninterrupted({ unsafe waitpid(pid, &status, WNOHANG) }) != 0 { return }
            usleep(10_000)
        }
        kill(pid, SIGKILL)
        Self.reap(pid)
    }

    private static func reap(_ pid: pid_t) {
        var status: Int32 = 0
        _ = uninterrupted { unsafe waitpid(pid, &status, 0) }
    }

    private static func spawn(_ arguments: [String], output: Int32) throws -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        // A process group of its own: Ctrl-C is for this program, which then stops the server.
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        var words = unsafe arguments.map { unsafe strdup($0) } + [nil]
        defer { unsafe words.forEach { unsafe free($0) } }
        var pid = pid_t()
        // Safe: the words live until the call has returned, and the last one is nil.
        let result = unsafe posix_spawn(&pid, "/proc/self/exe", &actions, &attributes, &words, environ)
        guard result == 0 else { throw CommandFailure("the server could not be started: error \(result)") }
        return pid
    }

    private static func firstLine(from descriptor: Int32) -> String? {
        var text: [UInt8] = []
        var byte: UInt8 = 0
        while uninterrupted({ unsafe read(descriptor, &byte, 1) }) == 1 {
            if byte == UInt8(ascii: "\n") { return String(decoding: text, as: UTF8.self) }
            text.append(byte)
        }
        return nil
    }

    private static var reason: String { unsafe String(cString: strerror(errno)) }
}
