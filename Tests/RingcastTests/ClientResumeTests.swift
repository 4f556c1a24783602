import ReactorTesting
import Testing

@testable import Ringcast

/// A client that goes on where its last socket ended, by itself.
@Suite(.blocking, .timeLimit(.minutes(5))) struct ClientResumeTests {
    private static let policy = ReconnectPolicy(
        initialDelay: .milliseconds(1), maxDelay: .milliseconds(5), position: Position.inJSON)

    @Test func `whatever becomes of its sockets, a client reads each message once and in order`() async throws {
        let count = 500
        let handlers = WebSocketHandlers<Position?>(open: { ws in ws.subscribe(to: "numbers", after: ws.data) })
        var configuration = ServerConfiguration(hostname: "127.0.0.1", port: 0, loops: .count(2), pinsThreads: false)
        configuration.placement = .balanced
        configuration.stop = StopTiming(window: .zero, deadline: .milliseconds(200))
        configuration.topics = [.matching("numbers", history: .init(messages: count), stamping: .json)]
        let server = try Server(configuration: configuration) { request in
            .upgrade(to: handlers, with: request.query("after").flatMap { Position($0) })
        }
        try await withThrowingTaskGroup { group in
            group.addTask(executorPreference: BlockingExecutor()) { try await server.run() }
            defer { server.stop() }
            group.addTask {
                for number in 1...count {
                    server.publish("{\"n\":\(number)}", to: "numbers")
                    await Task.yield()
                }
            }
            let request = try ClientRequest("ws://127.0.0.1:\(server.port)/?after=\(Position.oldest)")
            var (seen, sockets): ([String], Int) = ([], 0)
            connecting: for try await socket in WebSocketClient.connections(to: request, policy: Self.policy) {
                sockets += 1
                do {
                    // What has come beyond the message that is read last comes again.
                    reading: for try await message in socket.messages {
                        seen.append(String(message.string.prefix { $0 != "," }))
                        if seen.count == count { break connecting }
                        if seen.count % 25 == 0 {
                            socket.terminate()
                            break reading
                        }
                    }
                } catch {}
            }
            #expect(seen == (1...count).map { "{\"n\":\($0)" } && sockets == count / 25)
        }
    }

    @Test func `sockets that heard nothing go on from where the last one that did has ended`() async throws {
        let targets = Journal<String>()
        let server = ScriptedServer { peer in
            let head = try peer.upgrade()
            targets.note(String(head.split(separator: " ")[1]))
            let count = targets.entries.count
            if count == 1 { try peer.sendFrame(0x81, Array("{\"position\":\"7.3\"}".utf8)) }
            try peer.sendFrame(0x88, count < 3 ? [0x03, 0xF4] : [0x11, 0x94])
            _ = try peer.readFrame()
        }
        try await server.run {
            let request = try ClientRequest(server.url)
            for try await socket in WebSocketClient.connections(to: request, policy: Self.policy) {
                do { for try await _ in socket.messages {} } catch {}
            }
        }
        #expect(targets.entries == ["/", "/?after=7.3", "/?after=7.3"])
    }

    @Test(arguments: [
        ("/", "/?after=1.2"), ("/?", "/?after=1.2"), ("/a?after=9.9", "/a?after=1.2"), ("/a?after", "/a?after=1.2"),
        ("/a?x=1&after=0.0&y=after=3&&afters=4", "/a?x=1&y=after=3&afters=4&after=1.2"),
    ])
    func `the position takes its place in the query`(_ target: String, _ expected: String) throws {
        let url = try WebSocketURL("ws://host\(target)").setting(queryItem: "after", to: "1.2")
        #expect(url.target == expected)
    }

    @Test(
        arguments: [
            ("{\"a\":1,\"position\":\"7.3\"}", "7.3"), ("{\"position\":\"7.3\"}", "7.3"),
            ("{\"position\":\"7.3\",\"a\":1}", nil), ("{\"position\":\"7\"}", nil), ("\"}", nil), ("{\"a\":\"}", nil),
            ("{\"b\":\"\\\"position\\\":\\\"7.3\"}", nil), ("", nil),
        ] as [(String, String?)])
    func `a stamp is found at the end of an object`(_ text: String, _ position: String?) {
        #expect(Position.inJSON(.text(text)).map { String($0) } == position)
        #expect(Position.inJSON(.binary(Array(text.utf8))) == nil)
    }

    @Test(arguments: ["", "a b", "a=", "ä", "a&b"]) func `a name that cannot stand in a query is refused`(name: String)
    {
        var policy = Self.policy
        policy.positionName = name
        #expect(policy.objection?.contains("positionName") == true)
    }
}
