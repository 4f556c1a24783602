import Ringcast
import Testing
import WebSocketProtocol

/// "A masking key must be chosen freshly for each frame" (RFC 6455 §5.3).
@Suite struct ClientMaskingTests {
    /// Frames as a scripted server reads them: what kind, and under which key.
    private struct Seen: Hashable {
        let first: UInt8
        let key: [UInt8]
        let payload: [UInt8]
    }

    @Test func `each of ten thousand frames has a key of its own, across refills of the pool`() throws {
        let frames = Journal<Seen>()
        let count = 10_000
        let server = ScriptedServer { peer in
            try peer.upgrade()
            for _ in 0..<count {
                let frame = try peer.readFrame()
                frames.note(Seen(first: frame.first, key: frame.key, payload: frame.payload))
            }
            try peer.readToEnd()
        }
        let handlers = WebSocketHandlers<Void>(open: { ws in
            for _ in 0..<count { ws.send("same") }
        })
        try server.run {
            try withClients { group in
                group.connect(try ClientRequest(server.url), handlers: handlers, with: ())
                #expect(eventually { frames.entries.count == count })
            }
        }
        #expect(frames.entries.allSatisfy { $0.payload == Array("same".utf8) })
        // Of 10,000 random words of 32 bits two are the same once in a hundred runs; ten pairs never.
        #expect(Set(frames.entries.map(\.key)).count > count - 10)
        // Every bit is as often set as not: the keys are neither counted nor constant anywhere.
        for bit in 0..<32 {
            let share = frames.entries.count { $0.key[bit / 8] >> (bit % 8) & 1 == 1 }
            #expect((4_700...5_300).contains(share), "bit \(bit): \(share)")
        }
    }

    @Test func `every kind of frame has one, on every socket of a loop, and so has what a topic shares`() throws {
        let frames = Journal<Seen>()
        let servers = (0..<2).map { _ in
            ScriptedServer { peer in
                try peer.upgrade()
                for _ in 0..<5 {
                    let frame = try peer.readFrame()
                    frames.note(Seen(first: frame.first, key: frame.key, payload: frame.payload))
                }
            }
        }
        let opened = Journal<WebSocketRef<Void>>()
        let handlers = WebSocketHandlers<Void>(
            options: .init(publishToSelf: true),
            open: { ws in
                ws.subscribe(to: "all")
                ws.send("same")
                ws.send([1, 2, 3])
                ws.ping("same")
                opened.note(ws.reference)
            })
        try servers[0].run {
            try servers[1].run {
                try withClients { group in
                    for server in servers {
                        group.connect(try ClientRequest(server.url), handlers: handlers, with: ())
                    }
                    let sockets = opened.wait(for: 2)
                    sockets[0].publish("shared", to: "all")
                    sockets.forEach { $0.close() }
                    #expect(eventually { frames.entries.count == 10 })
                }
            }
        }
        #expect(Set(frames.entries.map(\.first)) == [0x81, 0x82, 0x89, 0x88])
        #expect(frames.entries.count { $0.payload == Array("shared".utf8) } == 2)
        #expect(Set(frames.entries.map(\.key)).count == 10)
    }
}
