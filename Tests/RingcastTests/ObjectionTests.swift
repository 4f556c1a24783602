import Ringcast
import Testing

/// Settings that make no sense are refused with a sentence.
@Suite struct ObjectionTests {
    private func objection(_ change: (inout ServerConfiguration) -> Void) -> String? {
        var configuration = ServerConfiguration(hostname: "127.0.0.1", port: 0, loops: .count(1))
        change(&configuration)
        do throws(ServerError) {
            _ = try Server(configuration: configuration) { _ in .response(.ok) }
            return nil
        } catch { return error.description }
    }

    @Test func `negative times and numbers of a server are errors`() {
        #expect(objection { _ in } == nil)
        let sentence = objection { $0.limits.keepAliveTimeout = .seconds(-1) }
        #expect(sentence == "limits.keepAliveTimeout is -1.0 seconds: a time cannot be negative")
        #expect(objection { $0.limits.deferredReplyTimeout = .seconds(-2) }?.contains("deferredReplyTimeout") == true)
        #expect(objection { $0.stop.deadline = .nanoseconds(-1) }?.contains("stop.deadline") == true)
        #expect(objection { $0.limits.headBytes = 0 }?.contains("limits.headBytes") == true)
        #expect(objection { $0.limits.connections = -1 }?.contains("limits.connections") == true)
        let limit = objection { $0.events.backpressureLimit = 0 }
        #expect(limit == "events.backpressureLimit is 0: it must be positive")
        #expect(objection { $0.events.commentInterval = .seconds(-1) }?.contains("events.commentInterval") == true)
    }

    @Test func `a negative idle time is a programming error where handlers are made`() async {
        await #expect(processExitsWith: .failure) {
            _ = WebSocketHandlers<Void>(options: .init(idleTimeout: .seconds(-1)), message: { _, _ in })
        }
    }

    @Test func `for a client it is an error`() async {
        for options in [
            WebSocketOptions(idleTimeout: .seconds(-1)), .init(closeTimeout: .seconds(-1)), .init(maxControlFrames: 0),
            .init(messageRate: .init(bytesPerSecond: 0)),
            .init(messageRate: .init(messagesPerSecond: 1, burst: .seconds(-1))),
        ] {
            await #expect {
                _ = try await WebSocketClient.connect("ws://127.0.0.1:1/", options: options)
            } throws: { error in
                (error as? WebSocketClientError)?.code == .invalidRequest
            }
        }
    }

    @Test(arguments: [Duration.zero, .seconds(-1)])
    func `a handshake that may take no time is an error`(_ timeout: Duration) async throws {
        var request = try ClientRequest("ws://127.0.0.1:1/")
        request.handshakeTimeout = timeout
        let sentence = "handshakeTimeout is \(timeout): it must be positive"
        await #expect(throws: WebSocketClientError.invalidRequest(sentence)) {
            _ = try await WebSocketClient.connect(request)
        }
    }

    @Test func `so are redirects below none; a handshake may take for ever`() async throws {
        var request = try ClientRequest("ws://127.0.0.1:1/")
        request.maxRedirects = -1
        await #expect(throws: WebSocketClientError.invalidRequest("maxRedirects is -1: it cannot be negative")) {
            _ = try await WebSocketClient.connect(request)
        }
        request.maxRedirects = 0
        request.handshakeTimeout = .seconds(Int64.max)
        await #expect {
            _ = try await WebSocketClient.connect(request)
        } throws: { error in
            (error as? WebSocketClientError)?.code == .cannotConnect
        }
    }

    @Test func `a second run is an error, also when the first is over`() async throws {
        let server = try Server(
            configuration: .init(hostname: "127.0.0.1", port: 0, loops: .count(2), pinsThreads: false)
        ) {
            _ in .response(.ok)
        }
        @Sendable func outcome() async -> String {
            do throws(ServerError) {
                try await server.run()
                return "ended"
            } catch { return error.description }
        }
        await withTaskGroup(of: String.self) { group in
            // Whichever is the second one.
            for _ in 0..<2 { group.addTask { await outcome() } }
            #expect(await group.next()?.contains("runs once") == true)
            server.stop()
            #expect(await group.next() == "ended")
        }
        #expect(await outcome().contains("runs once"))
    }

    @Test func `a server that never ran has given its port back when it is gone`() throws {
        for _ in 0..<20 {
            let port = try { () throws(ServerError) in
                try Server(configuration: .init(hostname: "127.0.0.1", port: 0, loops: .count(2))) { _ in
                    .response(.ok)
                }.port
            }()
            _ = try Server(configuration: .init(hostname: "127.0.0.1", port: port, loops: .count(1))) { _ in
                .response(.ok)
            }
        }
    }
}
