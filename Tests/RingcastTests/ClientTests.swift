import Reactor
import ReactorTesting
import Ringcast
import Synchronization
import Testing
import WebSocketProtocol

/// Clients with handlers, against our own server.
@Suite(.blocking) struct ClientTests {
    static let echo = WebSocketHandlers<Void>(message: { ws, message in ws.send(message) })

    @Test(arguments: [0, 1, 125, 126, 4_000, 4_096, 65_535, 65_536, 1_000_000])
    func `what a client sends comes back as it went`(_ count: Int) async throws {
        let received = Journal<[UInt8]>()
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let handlers = WebSocketHandlers<Void>(
            open: { ws in
                ws.send(String(repeating: "a", count: count))
                ws.send(bytes)
            },
            message: { ws, message in received.note([message.isText ? 1 : 2] + message.bytes) })
        try await serving(Self.echo) { server in
            try withClients { group in
                group.connect(try ClientRequest(port: server.port), handlers: handlers, with: ())
                #expect(received.wait(for: 2) == [[1] + [UInt8](repeating: 0x61, count: count), [2] + bytes])
            }
        }
    }

    @Test func `a client that sends on what it gets can go on for ever`() async throws {
        let laps = Journal<Int>()
        let handlers = WebSocketHandlers<Int>(
            open: { ws in ws.send([UInt8](repeating: 7, count: 10_000)) },
            message: { ws, message in
                ws.data += 1
                if ws.data == 200 { laps.note(message.byteCount) } else { ws.send(message) }
            })
        try await serving(Self.echo) { server in
            try withClients { group in
                group.connect(try ClientRequest(port: server.port), handlers: handlers, with: 0)
                #expect(laps.wait() == [10_000])
            }
        }
    }

    @Test func `each connection is on the loop, and comes from the address, that it asked for`() async throws {
        let peers = Journal<String>()
        let loops = Journal<Int>()
        let server = WebSocketHandlers<Void>(open: { ws in peers.note(ws.remoteAddress?.ipAddress ?? "-") })
        let handlers = WebSocketHandlers<Int>(open: { ws in
            loops.note(ws.data * 10 + (LoopGroup.currentLoop?.index ?? -1))
        })
        try await serving(server) { server in
            try withClients(.init(loops: .count(2))) { group in
                for loop in [0, 1, 1] {
                    let request = try ClientRequest(port: server.port) { $0.localAddress = "127.0.0.\(2 + loop)" }
                    group.connect(request, handlers: handlers, with: loop, on: loop)
                }
                #expect(peers.wait(for: 3).sorted() == ["127.0.0.2", "127.0.0.3", "127.0.0.3"])
                #expect(loops.wait(for: 3).sorted() == [0, 11, 11])
                #expect(eventually { group.pendingWebSockets == 3 && group.statistics.map(\.sockets) == [1, 2] })
            }
        }
    }

    @Test func `a handler connects further sockets on its own loop`() async throws {
        let opened = Journal<Int>()
        try await serving(Self.echo) { server in
            try withClients(.init(loops: .count(2))) { group in
                let request = try ClientRequest(port: server.port)
                let child = WebSocketHandlers<Void>(open: { _ in opened.note(LoopGroup.currentLoop?.index ?? -1) })
                let parent = WebSocketHandlers<Void>(open: { [unowned group] _ in
                    for _ in 0..<3 { group.connect(request, handlers: child, with: ()) }
                })
                group.connect(request, handlers: parent, with: (), on: 1)
                #expect(opened.wait(for: 3) == [1, 1, 1])
            }
        }
    }

    @Test func `the closing handshake works from either side, and both hear of it`() async throws {
        let serverSide = Journal<String>()
        let server = WebSocketHandlers<Void>(
            message: { ws, message in ws.close(4_001, reason: message.string) },
            close: { _, code, reason in serverSide.note("\(code.rawValue) \(reason)") })
        try await serving(server) { server in
            try withClients { group in
                let (first, second) = (Outcome(), Outcome())
                let closing = WebSocketHandlers<Void>(
                    open: { ws in ws.close(4_000, reason: "done") },
                    close: { _, code, reason in second.journal.note("close \(code.rawValue) \(reason)") })
                let asking = WebSocketHandlers<Void>(
                    open: { ws in ws.send("enough") },
                    close: { _, code, reason in first.journal.note("close \(code.rawValue) \(reason)") })
                group.connect(try ClientRequest(port: server.port), handlers: asking, with: ())
                #expect(first.journal.wait() == ["close 4001 enough"])
                group.connect(try ClientRequest(port: server.port), handlers: closing, with: ())
                #expect(second.journal.wait() == ["close 4000 "])
                #expect(serverSide.wait(for: 2) == ["4001 ", "4000 done"])
                // The server has ended the connections, and the client has noticed.
                #expect(eventually { group.statistics.allSatisfy { $0.connections == 0 } })
            }
        }
    }

    @Test func `pings go both ways, and references and topics work`() async throws {
        let outcome = Outcome()
        try await serving(Self.echo) { server in
            try withClients { group in
                let handlers = WebSocketHandlers<Void>(
                    open: { ws in
                        ws.subscribe(to: "news")
                        ws.ping("are you there")
                        ws.task { ref in
                            ref.send("from a task")
                            await ref.perform { $0.publish("to a topic", to: "news") }
                        }
                    },
                    message: { _, message in outcome.journal.note(message.string) },
                    pong: { _, payload in outcome.journal.note("pong \(payload.byteCount)") })
                for _ in 0..<2 { group.connect(try ClientRequest(port: server.port), handlers: handlers, with: ()) }
                // Each hears its own echo; a topic's message goes to the server and comes back like any other.
                let seen = outcome.journal.wait(for: 5)
                #expect(seen.count { $0 == "pong 13" } == 2)
                #expect(eventually { outcome.journal.entries.contains("to a topic") })
                #expect(seen.count { $0 == "from a task" } <= 2)
            }
        }
    }

    @Test func `a group that is stopped closes its sockets and gives up its attempts`() async throws {
        let outcome = Outcome()
        try await serving(Self.echo) { server in
            let group = try ClientGroup(
                configuration: .init(stop: StopTiming(window: .zero, deadline: .milliseconds(200))))
            group.connect(try ClientRequest(port: server.port), handlers: outcome.handlers, with: ())
            #expect(outcome.journal.wait() == ["open -"])
            group.stop()
            group.wait()
            #expect(outcome.journal.wait(for: 2) == ["open -", "close 1001 "])
            let request = try ClientRequest(port: server.port)
            group.connect(request, handlers: outcome.handlers, with: (), failed: { outcome.failures.note($0) })
            #expect(outcome.failures.wait() == [.stopped("the client's loops have been stopped")])
        }
    }
}
