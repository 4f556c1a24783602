import ArgumentParser
import Ringcast

/// `ringcast health`: whether a server does its work. A container of the binary alone, without a shell, has a health
/// check with it.
struct HealthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Ask a WebSocket server whether it is well: a handshake, a ping and its pong.",
        discussion: "The exit code is 0 if it is, else 1, and one sentence on standard error says what is wrong.")

    @Argument(
        help: """
            Where: ws://host:port/path, wss://…, or ws+unix:/path/of/socket:/path. If it is left out, /echo at port \
            $PORT or 3000 of this machine.
            """)
    var url: String?

    @Flag(help: "Believe any certificate: for wss:// at this machine's own address.")
    var insecure = false

    @Option(help: ArgumentHelp("For the handshake, and for the pong.", valueName: "seconds"))
    var timeout = 2

    func validate() throws {
        guard timeout > 0 else { throw ValidationError("--timeout takes a number of seconds above 0") }
    }

    func run() async throws {
        do {
            let socket = try await connect()
            let deadline = Task {
                try await Task.sleep(for: .seconds(timeout))
                socket.terminate()
            }
            do { try await socket.ping() } catch { throw CommandFailure("no pong came: \(error)") }
            deadline.cancel()
            await socket.close()
        } catch {
            let reason = (error as? CommandFailure)?.message ?? "\(error)"
            throw CommandFailure("the server is not well: \(reason)")
        }
    }

    private func connect() async throws -> WebSocketClient {
        var request = try ClientRequest(url ?? "ws://127.0.0.1:\(ServerConfiguration().port)/echo")
        request.handshakeTimeout = .seconds(timeout)
        if insecure { request.tls.trust = .anybody }
        // epoll, since to set up a ring costs more than one ping.
        return try await WebSocketClient.connect(request, group: try ClientGroup(configuration: .init(driver: .epoll)))
    }
}
