import HTTPTypes
import Testing

@testable import Ringcast

/// Errors have a code to be switched on, and what belongs to it.
@Suite struct ErrorCodeTests {
    @Test func `a server's error says what kind it is`() throws {
        let local = ServerConfiguration(hostname: "127.0.0.1", port: 0, loops: .count(1), pinsThreads: false)
        func code(_ change: (inout ServerConfiguration) -> Void) -> ServerError.Code? {
            var configuration = local
            change(&configuration)
            do throws(ServerError) { _ = try Server(configuration: configuration) { _ in .response(.ok) } } catch {
                return error.code
            }
            return nil
        }
        let server = try Server(configuration: local) { _ in .response(.ok) }
        #expect(code { $0.port = server.port } == .addressInUse)
        #expect(code { $0.port = 70_000 } == .invalidConfiguration)
        #expect(code { $0.limits.headBytes = 0 } == .invalidConfiguration)
        #expect(code { $0.hostname = "192.0.2.1" } == .cannotListen)
        #expect(code { $0.tls = TLSConfiguration(certificates: []) } == .tls)
        #expect(code { _ in } == nil)
        #expect(#expect(throws: ServerError.self) { try server.reloadCertificates() }?.code == .tls)
    }

    @Test func `a client's error is made as ever, and gives what belongs to its code`() {
        let answer = RefusedHandshake(status: .forbidden)
        #expect(WebSocketClientError.refused(answer).code == .refused)
        #expect(WebSocketClientError.refused(answer).answer == answer)
        #expect(WebSocketClientError.timedOut(.tls).phase == .tls)
        #expect(WebSocketClientError.cannotConnect(to: "a:1", "no").address == "a:1")
        #expect(WebSocketClientError.cannotConnect(to: "a:1", "no").detail == "no")
        let closed = WebSocketClientError.closed(.goingAway, reason: "bye")
        #expect(closed.closeCode == .goingAway && closed.closeReason == "bye" && closed.answer == nil)
        switch closed.code {
        case .refused, .timedOut: Issue.record("\(closed)")
        case .closed: break
        default: Issue.record("\(closed)")
        }
        #expect("\(closed.code)" == "closed" && WebSocketClientError.cancelled == .cancelled)
    }
}
