import Ringcast
import Testing
import WebSocketProtocol

/// A reference has every operation of its socket, from any thread.
@Suite struct ReferenceOperationTests {
    typealias Reference = WebSocketRef<Void>

    /// Serves sockets, and runs `body` with the references of the first so many, in the order in which they came.
    private func withSockets(
        _ count: Int = 1, _ change: (inout ServerConfiguration) -> Void = { _ in },
        _ body: @Sendable (Server, [SocketClient], [Reference]) throws -> Void
    ) async throws {
        let references = Journal<Reference>()
        let handlers = WebSocketHandlers<Void>(
            open: { ws in references.note(ws.reference) }, message: { ws, message in ws.send(message) })
        try await serving(handlers, change) { server in
            var clients: [SocketClient] = []
            for number in 1...count {
                clients.append(try SocketClient(port: server.port, fields: ["Sec-WebSocket-Protocol: b"]))
                _ = references.wait(for: number)
            }
            try body(server, clients, references.entries)
        }
    }

    @Test func `it subscribes, and what is published behind that arrives`() async throws {
        try await withSockets { server, clients, references throws in
            let reference = references[0]
            for (topic, changes) in [("a", true), ("b", true), ("a", false), ("", false)] {
                #expect(try awaited { await reference.subscribe(to: topic) } == changes)
            }
            #expect(try awaited { await reference.subscriptions } == ["a", "b"])
            #expect(server.publish("to a", to: "a") == .sent(bytes: 4))
            #expect(try clients[0].readText() == "to a")
            #expect(try awaited { await reference.isSubscribed(to: "a") })
            #expect(try awaited { await reference.unsubscribe(from: "a") })
            #expect(try awaited { await reference.unsubscribe(from: "a") } == false)
            #expect(try awaited { await reference.isSubscribed(to: "a") } == false)
            #expect(server.publish("to nobody", to: "a") == .dropped)
        }
    }

    @Test func `it goes on behind a position, and is listed as somebody, until its socket is closed`() async throws {
        let rule = TopicRule.matching("room", history: .init(messages: 10))
        try await withSockets(2, { $0.topics = [rule] }) { server, clients, references throws in
            let (name, ann, bob) = (String("room"), references[0], references[1])
            #expect(try awaited { await ann.subscribe(to: name, after: nil) } == .new)
            for text in ["one", "two"] {
                #expect(server.publish(text, to: name) == .sent(bytes: 3))
                #expect(try clients[0].readText() == text)
            }
            #expect(try awaited { await bob.subscribe(to: "room", after: .oldest) } == .resumed(2))
            for text in ["one", "two"] { #expect(try clients[1].readText() == text) }
            #expect(try awaited { await bob.subscribe(to: name, as: "bob") } == .unchanged)
            #expect(server.presence(of: name).isEmpty, "who is subscribed already is nobody new")
            #expect(try awaited { await ann.unsubscribe(from: name) })
            #expect(try awaited { await ann.subscribe(to: name, as: "ann", info: "Ann") } == .new)
            #expect(server.presence(of: name).map(\.id) == ["ann"])
            ann.terminate()
            #expect(eventually { ann.readyState == .closed })
            #expect(try awaited { await ann.subscribe(to: name, after: .oldest) } == .unchanged)
            #expect(try awaited { await ann.subscribe(to: "room", as: "ann") } == .unchanged)
            #expect(eventually { server.presence(of: name).isEmpty })
        }
    }

    @Test func `without await it subscribes in its place among what is sent`() async throws {
        try await withSockets { server, clients, references throws in
            for _ in 0..<50 {
                references[0].subscribe(to: "t")
                references[0].send("subscribed")
                #expect(try clients[0].readText() == "subscribed")
                #expect(server.subscriberCount(of: "t") == 1)
                references[0].unsubscribe(from: "t")
                references[0].send("gone")
                #expect(try clients[0].readText() == "gone")
                #expect(server.subscriberCount(of: "t") == 0)
            }
        }
    }

    @Test func `it sends pings and pongs, cut to what they may carry, in their place among what is sent`() async throws
    {
        try await withSockets { _, clients, references throws in
            let reference = references[0]
            #expect(reference.send("1") == .sent(bytes: 1))
            #expect(reference.ping("p") == .sent(bytes: 1))
            #expect(reference.pong([7, 8]) == .sent(bytes: 2))
            #expect(reference.ping([UInt8](repeating: 9, count: 200)) == .sent(bytes: 125))
            #expect(reference.pong() == .sent(bytes: 0))
            #expect(try clients[0].read() == .init(opcode: .text, payload: [0x31]))
            #expect(try clients[0].read() == .init(opcode: .ping, payload: [0x70]))
            #expect(try clients[0].read() == .init(opcode: .pong, payload: [7, 8]))
            #expect(try clients[0].read() == .init(opcode: .ping, payload: [UInt8](repeating: 9, count: 125)))
            #expect(try clients[0].read() == .init(opcode: .pong, payload: []))
        }
    }

    @Test func `it knows the socket's subprotocol and state, and asks its loop for the rest`() async throws {
        try await withSockets(1, { $0.subprotocols = ["a", "b"] }) { _, clients, references throws in
            let reference = references[0]
            #expect(reference.readyState == .open && reference.subprotocol == "b")
            let address = try awaited { await reference.remoteAddress }
            #expect(address?.ipAddress == "127.0.0.1" && address?.port != 0)
            #expect(try awaited { await reference.bufferedAmount } == 0)
            #expect(try awaited { await reference.roundTrip } == nil)
            #expect(try awaited { await reference.isPaused } == false)
            reference.pause()
            #expect(try awaited { await reference.isPaused })
            reference.close()
            #expect(eventually { reference.readyState == .closing })
            #expect(!reference.isClosed)
            try clients[0].sendClose()
            #expect(eventually { reference.readyState == .closed })
            #expect(reference.subprotocol == "b" && reference.ping() == .dropped && reference.pong() == .dropped)
            #expect(try awaited { await reference.remoteAddress } == nil)
            #expect(try awaited { await reference.bufferedAmount } == 0)
            #expect(try awaited { await reference.subscribe(to: "t") } == false)
            #expect(try awaited { await reference.subscriptions } == [])
        }
    }

    @Test func `what waits for a peer that does not read is its buffered amount`() async throws {
        try await withSockets { _, clients, references throws in
            let reference = references[0]
            // The kernel may take several messages, and sends say what waits for the loop, too.
            var buffered = 0
            while buffered == 0 {
                reference.send([UInt8](repeating: 0, count: 1 << 20))
                buffered = try awaited { await reference.bufferedAmount }
            }
            #expect(buffered > 0)
            withExtendedLifetime(clients) {}
        }
    }

    @Test func `it publishes in every form, retained too, to everybody but its socket`() async throws {
        try await withSockets(2) { server, clients, references throws in
            let (speaker, listener) = (references[0], references[1])
            #expect(try awaited { await listener.subscribe(to: "t") })
            #expect(try awaited { await speaker.subscribe(to: "t") })
            let bytes: [UInt8] = [0x61, 0x62]
            speaker.publish("text", to: "t")
            speaker.publish(bytes, to: "t")
            speaker.publish(bytes.span, to: "t")
            unsafe speaker.publish(bytes.span.bytes, to: "t")
            unsafe speaker.publishText(bytes.span.bytes, to: "t")
            speaker.publish(OwnedMessage.text("owned"), to: "t")
            speaker.publish(OwnedMessage.text("kept"), to: "t", retain: true)
            for expected in ["text", "ab", "ab", "ab", "ab", "owned", "kept"] {
                #expect(try clients[1].read().text == expected)
            }
            #expect(server.retainedUsage.topics == 1)
            speaker.send("nothing else")
            #expect(try clients[0].readText() == "nothing else")
        }
    }
}
