import Glibc
import Logging
import Synchronization
import SystemCalls
import Testing

@testable import Ringcast

/// What systemd tells by the environment, and hears by datagrams.
@Suite struct SystemdTests {
    private func environment(_ variables: [String: String]) -> SystemdEnvironment {
        SystemdEnvironment(process: 7) { variables[$0] }
    }

    private func sockets(_ variables: [String: String], named name: String? = nil) throws -> [Int32] {
        try environment(variables).sockets(named: name)
    }

    private func fault(_ variables: [String: String], named name: String? = nil) -> String {
        let environment = environment(variables)
        let error = #expect(throws: ServerError.self) {
            _ = try environment.sockets(named: name)
            _ = try environment.notifier()
        }
        return error?.description ?? ""
    }

    // MARK: what the environment says

    @Test func `sockets are those from descriptor 3 on, if they are this process'`() throws {
        #expect(try sockets([:]) == [])
        #expect(try sockets(["LISTEN_PID": "7", "LISTEN_FDS": "2"]) == [3, 4])
        #expect(try sockets(["LISTEN_PID": "7", "LISTEN_FDS": "0"]) == [])
        #expect(try sockets(["LISTEN_PID": "7"]) == [])
        #expect(try sockets(["LISTEN_PID": "8", "LISTEN_FDS": "2"]) == [], "the parent's")
        #expect(try sockets(["LISTEN_FDS": "2"]) == [], "whose they are is not said")
    }

    @Test func `sockets may be asked for by name`() throws {
        let variables = ["LISTEN_PID": "7", "LISTEN_FDS": "3", "LISTEN_FDNAMES": "http:https:http"]
        #expect(try sockets(variables, named: "http") == [3, 5])
        #expect(try sockets(variables, named: "https") == [4])
        #expect(try sockets([:], named: "http") == [])
        #expect(fault(variables, named: "admin").contains("has the name admin: they are http, https, http"))
        let few = ["LISTEN_PID": "7", "LISTEN_FDS": "3", "LISTEN_FDNAMES": "http"]
        #expect(fault(few, named: "http").contains("1 names for the 3 sockets"))
        #expect(try sockets(few) == [3, 4, 5])
    }

    @Test func `how often life is told is half of what is asked for, if this process is asked`() throws {
        let socket = ["NOTIFY_SOCKET": "/run/notify"]
        func interval(_ more: [String: String]) throws -> Duration? {
            try environment(socket.merging(more) { $1 }).notifier()?.interval
        }
        #expect(try environment([:]).notifier() == nil)
        #expect(try environment(["WATCHDOG_USEC": "1000000"]).notifier() == nil)
        #expect(try environment(socket).notifier() != nil)
        #expect(try interval([:]) == nil)
        #expect(try interval(["WATCHDOG_USEC": "1000000"]) == .milliseconds(500))
        #expect(try interval(["WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "7"]) == .milliseconds(500))
        #expect(try interval(["WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "8"]) == nil)
        #expect(try interval(["WATCHDOG_USEC": "0"]) == nil)
    }

    @Test(arguments: [
        ("LISTEN_PID", "x"), ("LISTEN_PID", "-1"), ("LISTEN_FDS", "two"), ("LISTEN_FDS", "-1"), ("LISTEN_FDS", "257"),
        ("LISTEN_FDS", "99999999999999999999"), ("WATCHDOG_USEC", "1s"), ("WATCHDOG_PID", "me"),
        ("NOTIFY_SOCKET", "run/notify"), ("NOTIFY_SOCKET", "vsock:2:99"),
    ])
    func `what makes no sense is named in one sentence`(name: String, text: String) {
        var variables = ["LISTEN_PID": "7", "LISTEN_FDS": "1", "NOTIFY_SOCKET": "/run/notify"]
        variables[name] = text
        let fault = fault(variables)
        #expect(fault.hasPrefix(name) && fault.contains(text) && !fault.contains("\n"), "\(fault)")
    }

    // MARK: sockets that were handed over

    private static let echo = WebSocketHandlers<Void>(message: { ws, message in ws.send(message) })

    private func server(on listener: Int32, _ driver: DriverChoice = .automatic, saying text: String = "here") throws
        -> Server
    {
        var configuration = ServerConfiguration(
            endpoints: [.inherited(descriptor: dup(listener))], loops: .count(2), pinsThreads: false, driver: driver)
        configuration.logger.logLevel = .critical
        configuration.stop = StopTiming(window: .zero, deadline: .milliseconds(200))
        return try Server(configuration: configuration) { request in
            request.isWebSocketUpgrade ? .upgrade(to: Self.echo) : .response(.ok, text)
        }
    }

    /// A socket that listens, and its port.
    private func listener() -> (descriptor: Int32, port: Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        listen(descriptor, 64)
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = unsafe withUnsafeMutablePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe getsockname(descriptor, $0, &length) }
        }
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }

    @Test(arguments: [DriverChoice.automatic, .epoll])
    func `a socket that was handed over is served by every loop, on either driver`(driver: DriverChoice) async throws {
        let (listener, port) = listener()
        defer { close(listener) }
        try await run(server(on: listener, driver)) { server in
            #expect(server.port == port && server.addresses.map(\.port) == [port])
            let sockets = try (0..<4).map { _ in
                let client = try TCPClient(port: port)
                try client.send(SocketClient.request())
                return SocketClient(upgraded: client, answer: try client.readAnswer())
            }
            #expect(eventually { server.statistics.map(\.sockets) == [2, 2] }, "one loop accepts, both serve")
            for socket in sockets {
                try socket.send("hello")
                #expect(try socket.readText() == "hello")
            }
        }
    }

    @Test(arguments: [DriverChoice.automatic, .epoll])
    func `who comes between two servers of one socket waits for the second`(driver: DriverChoice) async throws {
        let (listener, port) = listener()
        defer { close(listener) }
        try await run(server(on: listener, driver, saying: "first")) { _ in
            let text = try TCPClient(port: port).get("/").text
            #expect(text == "first")
        }
        // Safe: this test alone uses it, one time after the other.
        nonisolated(unsafe) let client = try TCPClient(port: port)
        try await run(server(on: listener, driver, saying: "second")) { _ in
            let text = try unsafe client.get("/").text
            #expect(text == "second")
        }
    }

    // MARK: what is told

    /// A socket for datagrams, which plays systemd's.
    private struct Listener: Sendable {
        let path = "/tmp/ringcast-notify-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).sock"
        private let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)

        init() {
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
            let isBound = unsafe withUnsafePointer(to: &address) {
                unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            precondition(isBound == 0)
        }

        /// The next datagram; nil if none comes within a time (ms).
        func next(within milliseconds: Int32 = 60_000) -> String? {
            var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard uninterrupted({ unsafe poll(&wait, 1, milliseconds) }) == 1 else { return nil }
            var bytes = [UInt8](repeating: 0, count: 256)
            let count = unsafe recv(descriptor, &bytes, bytes.count, 0)
            return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
        }

        func next(that isSo: (String) -> Bool) -> Bool {
            while let text = next() { if isSo(text) { return true } }
            return false
        }

        func end() {
            close(descriptor)
            unsafe unlink(path)
        }
    }

    private static func configuration(loops: Int = 2) -> ServerConfiguration {
        var configuration = ServerConfiguration(
            hostname: "127.0.0.1", port: 0, loops: .count(loops), pinsThreads: false, notifiesSystemd: true)
        configuration.logger.logLevel = .critical
        configuration.stop = StopTiming(window: .zero, deadline: .milliseconds(200))
        return configuration
    }

    /// In a process of its own, whose environment may be changed.
    @Test func `systemd hears that the server is ready, and that it stops`() async {
        await #expect(processExitsWith: .success) {
            let listener = Listener()
            unsafe setenv("NOTIFY_SOCKET", listener.path, 1)
            let server = try Server(configuration: Self.configuration()) { _ in .response(.ok) }
            precondition(listener.next(within: 50) == nil, "nothing is told before it runs")
            try await run(server) { server in
                precondition(listener.next() == "READY=1")
                let answer = try TCPClient(port: server.port).get("/")
                precondition(answer.status == 200)
                server.stop()
                server.stop()
                precondition(listener.next() == "STOPPING=1")
            }
            precondition(listener.next(within: 50) == nil, "each is told once")
            listener.end()
        }
    }

    /// In a process of its own, whose environment may be changed.
    @Test func `systemd hears that the server is alive while every loop turns, and not while one is held up`() async {
        await #expect(processExitsWith: .success) {
            let listener = Listener()
            unsafe setenv("NOTIFY_SOCKET", listener.path, 1)
            unsafe setenv("WATCHDOG_USEC", "2000", 1)
            let server = try Server(configuration: Self.configuration()) { _ in .response(.ok) }
            try await run(server) { server in
                precondition(listener.next() == "READY=1")
                for _ in 0..<3 { precondition(listener.next() == "WATCHDOG=1") }
                let isHeld = Atomic(false)
                let isReleased = Atomic(false)
                server.group.executor(of: 1).execute {
                    isHeld.store(true, ordering: .releasing)
                    while !isReleased.load(ordering: .acquiring) { usleep(1_000) }
                }
                precondition(eventually { isHeld.load(ordering: .acquiring) })
                // What was on its way comes still; then a hundred times the interval without a word.
                while listener.next(within: 100) != nil {}
                precondition(listener.next(within: 100) == nil)
                isReleased.store(true, ordering: .releasing)
                precondition(listener.next() == "WATCHDOG=1", "it turns again")
                server.stop()
                precondition(listener.next { $0 == "STOPPING=1" })
            }
            listener.end()
        }
    }

    /// In a process of its own, whose environment may be changed.
    @Test func `without a socket of systemd's nothing is told, and a bad one is told by the initializer`() async {
        await #expect(processExitsWith: .success) {
            unsafe unsetenv("NOTIFY_SOCKET")
            let server = try Server(configuration: Self.configuration(loops: 1)) { _ in .response(.ok) }
            try await run(server) { server in
                let answer = try TCPClient(port: server.port).get("/")
                precondition(answer.status == 200)
            }
            unsafe setenv("NOTIFY_SOCKET", "somewhere", 1)
            do throws(ServerError) {
                _ = try Server(configuration: Self.configuration(loops: 1)) { _ in .response(.ok) }
                preconditionFailure("it was made")
            } catch {
                precondition(error.code == .invalidConfiguration && error.description.contains("NOTIFY_SOCKET"))
            }
            var silent = Self.configuration(loops: 1)
            silent.notifiesSystemd = false
            _ = try Server(configuration: silent) { _ in .response(.ok) }
        }
    }
}
