import Glibc
import Logging
import Ringcast
import Synchronization
import Testing

@Suite struct EndpointTests {
    private static let echo = WebSocketHandlers<Void>(message: { ws, message in ws.send(message) })

    /// A path that no other test uses.
    private static func path() -> String { "/tmp/ringcast-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).sock" }

    private static func configuration(_ endpoints: [Endpoint]) -> ServerConfiguration {
        var configuration = ServerConfiguration(endpoints: endpoints, loops: .count(2), pinsThreads: false)
        configuration.logger.logLevel = .critical
        configuration.stop = StopTiming(window: .zero, deadline: .milliseconds(200))
        return configuration
    }

    private static func serve(
        _ endpoints: [Endpoint], body: @Sendable (Server) throws -> Void
    ) async throws {
        let server = try Server(configuration: configuration(endpoints)) { request in
            if request.isWebSocketUpgrade { return .upgrade(to: echo) }
            return .response(.ok, request.remoteAddress.map { "\($0)" } ?? "gone")
        }
        try await run(server, during: body)
    }

    private static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    private static func echoes(_ client: @autoclosure () throws -> TCPClient) throws -> Bool {
        let client = try client()
        try client.send(SocketClient.request())
        let socket = SocketClient(upgraded: client, answer: try client.readAnswer())
        try socket.send("hello")
        return try socket.readText() == "hello"
    }

    @Test func `a Unix socket is served, on every loop, and its file goes with the server`() async throws {
        let path = Self.path()
        try await Self.serve([.unix(path: path, permissions: 0o620)]) { server in
            #expect(server.addresses.map(\.description) == ["unix:\(path)"])
            #expect(server.hostname == "" && server.port == 0)
            var information = stat()
            _ = unsafe lstat(path, &information)
            #expect(information.st_mode & 0o777 == 0o620)
            let clients = try (0..<4).map { _ in try TCPClient(unix: path) }
            for client in clients { #expect(try Self.echoes(client)) }
            #expect(eventually { server.statistics.map(\.sockets) == [2, 2] }, "one loop accepts, both serve")
            #expect(try TCPClient(unix: path).get("/").text == "unix:", "clients have no name")
        }
        #expect(!Self.exists(path))
    }

    @Test func `large messages of slow readers go through a Unix socket whole and in order`() async throws {
        let path = Self.path()
        try await Self.serve([.unix(path: path)]) { _ in
            let client = try TCPClient(unix: path)
            try client.send(SocketClient.request())
            let socket = SocketClient(upgraded: client, answer: try client.readAnswer())
            let messages = (0..<8).map { number in [UInt8](repeating: number, count: 200_000 + Int(number)) }
            let sender = RepeatingThread { [socket = Unchecked(socket)] in
                for message in messages { try? socket.value.send(.binary, message) }
                pause(.seconds(1))
            }
            defer { sender.stop() }
            pause(.milliseconds(100))
            for message in messages { #expect(try socket.read().payload == message) }
        }
    }

    @Test func `a socket that a process left behind is replaced, one that is served and other files are not`()
        async throws
    {
        let path = Self.path()
        try Self.leaveSocket(at: path)
        #expect(Self.exists(path))
        try await Self.serve([.unix(path: path)]) { _ in
            let answer = try TCPClient(unix: path).get("/")
            #expect(answer.status == 200)
            let error = #expect(throws: ServerError.self) {
                _ = try Server(configuration: Self.configuration([.unix(path: path)])) { _ in .response(.ok) }
            }
            #expect(error?.description.contains("\(path) is taken") == true)
            #expect(try TCPClient(unix: path).get("/").status == 200, "the first one is still there")
        }
        close(unsafe open(path, O_CREAT | O_WRONLY, 0o600))
        defer { unsafe unlink(path) }
        let error = #expect(throws: ServerError.self) {
            _ = try Server(configuration: Self.configuration([.unix(path: path)])) { _ in .response(.ok) }
        }
        #expect(error?.description.contains("no socket") == true)
        #expect(Self.exists(path))
    }

    /// As long as another process changes sockets there, that is.
    @Test func `who listens on a path waits for the lock of its directory`() throws {
        let directory = Self.path()
        #expect(unsafe mkdir(directory, 0o700) == 0)
        let lock = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        #expect(flock(lock, LOCK_EX) == 0)
        let isTried = Atomic(false)
        let isBound = Atomic(false)
        let thread = RepeatingThread {
            if isTried.exchange(true, ordering: .relaxed) { return pause(.milliseconds(1)) }
            let configuration = Self.configuration([.unix(path: directory + "/socket")])
            let server = try? Server(configuration: configuration) { _ in .response(.ok) }
            isBound.store(server != nil, ordering: .releasing)
        }
        #expect(eventually { isTried.load(ordering: .relaxed) })
        // Far longer than such a change takes.
        pause(.milliseconds(300))
        #expect(!isBound.load(ordering: .acquiring) && !Self.exists(directory + "/socket"))
        close(lock)
        #expect(eventually { isBound.load(ordering: .acquiring) })
        thread.stop()
        #expect(unsafe rmdir(directory) == 0, "a server that is gone leaves nothing")
    }

    @Test func `a Unix socket can be taken over while it is served`() async throws {
        let path = Self.path()
        try await Self.serve([.unix(path: path)]) { old in
            let before = try TCPClient(unix: path)
            let new = try Server(configuration: Self.configuration([.unix(path: path, reusePort: true)])) { _ in
                .response(.ok, "new")
            }
            old.stopAccepting()
            #expect(try Self.echoes(before), "what was connected stays with the old one")
            #expect(Self.exists(path), "the old one leaves the new one's file alone")
            let after = try TCPClient(unix: path)
            #expect(new.addresses.count == 1 && old.addresses.count == 1)
            _ = after
        }
        #expect(eventually { !Self.exists(path) }, "the new one never ran, and takes its file along")
    }

    @Test func `an abstract name is served, and a taken one is an error`() async throws {
        let name = "ringcast-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        try await Self.serve([.abstract(name)]) { server in
            #expect(server.addresses.map(\.description) == ["unix:@\(name)"])
            let client = try TCPClient(unix: "@" + name)
            #expect(try Self.echoes(client))
            #expect(throws: ServerError.self) {
                _ = try Server(configuration: Self.configuration([.abstract(name)])) { _ in .response(.ok) }
            }
        }
    }

    @Test(arguments: ["", String(repeating: "x", count: 108), "/nowhere/at/all.sock"])
    func `a path that cannot be is an error that names it`(path: String) throws {
        let error = #expect(throws: ServerError.self) {
            _ = try Server(configuration: Self.configuration([.unix(path: path)])) { _ in .response(.ok) }
        }
        #expect(error?.description.contains(path) == true)
    }

    @Test func `one server listens on several ports and sockets, and tells their addresses`() async throws {
        let path = Self.path()
        try await Self.serve([
            .unix(path: path), .tcp(hostname: "127.0.0.1", port: 0), .tcp(hostname: "127.0.0.1", port: 0),
        ]) { server in
            #expect(server.addresses.count == 3 && server.hostname == "127.0.0.1")
            #expect(server.port == server.addresses[1].port && server.port != server.addresses[2].port)
            let client = try TCPClient(unix: path)
            #expect(try Self.echoes(client))
            for address in server.addresses.dropFirst() { #expect(try Self.echoes(TCPClient(port: address.port))) }
        }
    }

    @Test func `the default address serves IPv4 and IPv6 through one socket`() async throws {
        try await Self.serve([.tcp(port: 0)]) { server in
            #expect(server.hostname == "::")
            let four = try TCPClient(port: server.port).get("/").text
            #expect(four.hasPrefix("127.0.0.1:"), "\(four)")
            let six = try TCPClient(ipv6Port: server.port).get("/").text
            #expect(six.hasPrefix("[::1]:"), "\(six)")
        }
    }

    @Test func `a server that stops accepting goes on serving what it has`() async throws {
        try await Self.serve([.tcp(hostname: "127.0.0.1", port: 0)]) { server in
            let client = try TCPClient(port: server.port)
            #expect(try client.get("/").status == 200)
            server.stopAccepting()
            #expect(eventually { (try? TCPClient(port: server.port)) == nil })
            #expect(try client.get("/").status == 200)
            #expect(try Self.echoes(client))
        }
    }

    /// What a process that was killed leaves: a socket that nobody listens on.
    private static func leaveSocket(at path: String) throws {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
        let result = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        close(descriptor)
        if result != 0 { throw TCPClient.Failure(what: "bind: \(errno)") }
    }
}

/// For a test that uses a client on two threads, one of them reading and the other writing.
private struct Unchecked<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
