import PubSub
import ReactorTesting
import Synchronization
import Testing
import WebSocketProtocol

@testable import Ringcast

/// Who is in a topic, over simulated loops.
@Suite(.endingAll) struct PresenceTests {
    /// Sockets that join the topic "room" as what their query names.
    private static func server(
        limit: Int = 100, handler: (@Sendable (Server, Topic, PresenceChange) -> Void)? = nil
    ) -> SimulatedServer {
        let handlers = WebSocketHandlers<(id: String, info: String?)>(
            options: .init(idleTimeout: .zero),
            open: { ws in ws.subscribe(to: "room", as: ws.data.id, info: ws.data.info) },
            message: { ws, message in
                switch message.string {
                case "leave": ws.unsubscribe(from: "room")
                case "who": ws.send(ws.server.presence(of: "room").map(\.id).sorted().joined(separator: " "))
                default: ws.close(.normalClosure)
                }
            })
        return SimulatedServer(
            loops: 3,
            {
                $0.presence = handler
                $0.limits.presencePerTopic = limit
                $0.topics = [.matching("room", order: .total)]
            }
        ) { request in
            .upgrade(to: handlers, with: (id: request.query("as") ?? "", info: request.query("info")))
        }
    }

    private static func members(_ server: SimulatedServer) async throws -> [String] {
        try await server.server.presence(of: "room").map { "\($0.id) \($0.info ?? "-") \($0.socketCount)" }.sorted()
    }

    @Test func `an identity is there while any of its sockets is, however these end`() async throws {
        let server = Self.server()
        let first = server.open(on: 0, path: "/?as=ann")
        let second = server.open(on: 1, path: "/?as=ann&info=phone")
        let bob = server.open(on: 2, path: "/?as=bob")
        #expect(try await Self.members(server) == ["ann phone 2", "bob - 1"])
        bob.send("who")
        #expect(bob.frames().map(\.text) == ["ann bob"])
        first.peer.reset()
        server.rest()
        let name: String = "room"
        #expect(try await Self.members(server) == ["ann phone 1", "bob - 1"])
        #expect(try await server.server.presenceCount(of: name) == 2)
        second.send("leave")
        bob.send("close")
        #expect(try await server.server.presenceCount(of: "room") == 0)
        #expect(try await Self.members(server).isEmpty)
    }

    /// What the handler publishes is the order that all agree on, so a list that is kept by it is right everywhere.
    @Test func `joins and leaves are told of once for each identity, in their order, to everybody`() async throws {
        let server = Self.server { server, topic, change in
            server.publish("\(change.kind) \(change.id) \(change.presenceCount)", to: topic)
        }
        let watcher = server.open(on: 1, path: "/?as=watcher")
        var random = SeededGenerator(seed: 1)
        var sockets: [SimulatedSocket] = []
        for _ in 0..<60 {
            if sockets.count < 6 || Bool.random(using: &random) {
                let id = Int.random(in: 0..<4, using: &random)
                sockets.append(server.open(on: Int.random(in: 0..<3, using: &random), path: "/?as=\(id)"))
            } else {
                let socket = sockets.remove(at: Int.random(in: 0..<sockets.count, using: &random))
                if Bool.random(using: &random) { socket.peer.reset() } else { socket.send("leave") }
            }
            if Bool.random(using: &random) { server.rest() }
        }
        server.rest()
        var here: Set<String> = []
        for text in watcher.frames().map(\.text) {
            let words = text.split(separator: " ").map(String.init)
            #expect(words[0] == "joined" ? here.insert(words[1]).inserted : here.remove(words[1]) != nil, "\(text)")
            #expect(here.count == Int(words[2]))
        }
        #expect(Set(try await server.server.presence(of: "room").map(\.id)) == here && here.count > 1)
    }

    @Test func `a topic lists as many as it may, and counts whom it does not`() async throws {
        let server = Self.server(limit: 2)
        for id in 0..<4 { _ = server.open(on: id % 3, path: "/?as=\(id)") }
        _ = server.open(on: 0, path: "/?as=0")
        #expect(try await Self.members(server) == ["0 - 2", "1 - 1"])
        #expect(server.server.subscriberCount(of: "room") == 5)
        let family = server.server.metrics.first { $0.name == "ringcast_presence_refused_total" }
        #expect(family?.samples.map(\.value) == [.integer(2)])
    }
}
