import ArgumentParser
import CMalloc
import Glibc
import Logging
import Ringcast
import UnixSignals

/// `ringcast serve`: the demonstration and the measuring object in one.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract:
            "Serve a chat page at /, and the WebSocket endpoints /echo, /chat, /room, /topic/T, /publish/T and /sink.",
        discussion:
            "/stats tells in JSON what the server has done, /metrics as text for Prometheus, /presence/T who is in a "
            + "topic; POST /publish/T publishes the body. All but /presence/T are for this machine alone, unless "
            + "--open is given, and web pages of other sites may open no WebSocket, and post nothing, "
            + "unless --origin any is. SIGINT and SIGTERM stop it; at SIGHUP it reads its certificates again. "
            + "Sockets that systemd hands over take the place of a port, unless --host or --port is given too; systemd "
            + "is told when it is ready, stops, and is alive."
    )

    @OptionGroup var options: ServeOptions

    func run() async throws {
        // Memory of slow readers goes back to the system with them. By itself glibc raises this threshold at the first
        // large block that is freed, and keeps all later ones.
        mallopt(M_MMAP_THRESHOLD, 64 << 10)
        var logger = Logger(label: "ringcast")
        // Failed TLS handshakes are logged at level info.
        logger.logLevel = options.quiet ? .error : options.tls.tlsCert.isEmpty ? .notice : .info
        // Before all else: process 1 of a container is sent nothing that it does not handle.
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        let server: Server
        do {
            server = try makeServer(logger: logger)
        } catch {
            throw CommandFailure(error.description)
        }
        let hangUps = options.tls.tlsCert.isEmpty ? nil : await UnixSignalsSequence(trapping: .sighup)
        if !options.quiet { write("listening on \(places(of: server))\n", to: STDOUT_FILENO) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            group.addTask {
                var isFirst = true
                for await _ in signals {
                    // The second signal cuts at once what the first one left.
                    isFirst ? server.stop() : server.stop(within: .zero, deadline: .zero)
                    isFirst = false
                }
            }
            if let hangUps { group.addTask { [logger] in await server.reloadCertificates(at: hangUps, logger) } }
            try await group.next()
            group.cancelAll()
        }
    }

    private func makeServer(logger: Logger) throws(ServerError) -> Server {
        let tls = try options.tls.configuration()
        var configuration = ServerConfiguration(
            hostname: options.host, port: options.port, endpoints: try options.endpoints(tls: tls),
            loops: options.loops.map { .count($0) } ?? .perCore,
            pinsThreads: options.noPin ? false : nil, driver: options.driver.choice,
            coalescing: options.coalesceUs > 0 ? .adaptive(maxDelay: .microseconds(options.coalesceUs)) : .off,
            reusePort: options.reusePort, tls: tls, http2: options.http2 ? HTTP2Options() : nil,
            originPolicy: options.origin.policy,
            slowConsumerPolicy: options.slowConsumer.policy,
            topics: options.topicRules, presence: options.remembersRoom ? RoomGuest.tell : nil,
            cluster: options.cluster?.cluster, notifiesSystemd: true, measuresTurns: !options.noTurnTimes,
            logger: logger)
        options.bounds.apply(to: &configuration)
        var socketOptions = options.socketOptions
        options.bounds.apply(to: &socketOptions)
        return try Server(
            configuration: configuration,
            routes: Endpoints.routes(
                options: socketOptions, isOpen: options.open, origin: options.origin.policy,
                remembersRoom: options.remembersRoom))
    }

    /// All places that the server listens on: `http://127.0.0.1:3000`, `unix:/run/ringcast.sock`.
    private func places(of server: Server) -> String {
        let sockets = server.addresses.filter { $0.path != nil }.map(\.description)
        return (sockets.count == server.addresses.count ? sockets : [url(of: server)] + sockets)
            .joined(separator: " and ")
    }

    private var scheme: String { options.tls.tlsCert.isEmpty ? "http" : "https" }

    /// Where a browser on this machine finds the server.
    private func url(of server: Server) -> String {
        let host = options.host ?? server.hostname
        guard !["0.0.0.0", "::"].contains(host) else { return "\(scheme)://127.0.0.1:\(server.port)" }
        return "\(scheme)://\(host.contains(":") ? "[\(host)]" : host):\(server.port)"
    }
}
