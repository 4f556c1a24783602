import Logging
import Ringcast
import Testing

/// A client group that is stopped, and has ended, when `body` returns.
func withClients<Result>(
    _ configuration: ClientGroupConfiguration = ClientGroupConfiguration(), _ body: (ClientGroup) throws -> Result
) throws -> Result {
    var configuration = configuration
    configuration.logger.logLevel = .critical
    configuration.stop = StopTiming(window: .zero, deadline: .milliseconds(200))
    let group = try ClientGroup(configuration: configuration)
    defer {
        group.stop()
        group.wait()
    }
    return try body(group)
}

/// What became of attempts whose handlers only take notes.
final class Outcome: Sendable {
    let journal = Journal<String>()
    let failures = Journal<WebSocketClientError>()

    var handlers: WebSocketHandlers<Void> {
        WebSocketHandlers(
            open: { [journal] ws in journal.note("open \(ws.subprotocol ?? "-")") },
            message: { [journal] _, message in journal.note(message.string) },
            close: { [journal] _, code, reason in journal.note("close \(code.rawValue) \(reason)") })
    }

    /// Why an attempt fails.
    func failure(
        of request: ClientRequest, _ group: ClientGroup, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> WebSocketClientError {
        group.connect(request, handlers: handlers, with: (), failed: { self.failures.note($0) })
        let failures = failures.wait(sourceLocation: sourceLocation)
        #expect(journal.entries == [], sourceLocation: sourceLocation)
        return try #require(failures.first, sourceLocation: sourceLocation)
    }
}

extension ClientRequest {
    init(port: Int, path: String = "/", _ change: (inout ClientRequest) -> Void = { _ in }) throws {
        try self.init("ws://127.0.0.1:\(port)\(path)")
        change(&self)
    }
}
