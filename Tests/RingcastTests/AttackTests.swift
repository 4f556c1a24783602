import Glibc
import HTTPTypes
import Reactor
import ReactorTesting
import Testing
import WebSocketProtocol

@testable import Ringcast

/// Known attacks on a server, each by its name. Time is virtual unless a kernel has to take part.
@Suite(.endingAll) struct AttackTests {
    private static let echo = WebSocketHandlers<Void>(
        options: .init(backpressureLimit: 256 << 10), message: { ws, message in ws.send(message) })

    private static func text(_ peer: SimulatedPeer) -> String { String(decoding: peer.receivedBytes, as: UTF8.self) }

    @Test func `slow head: bytes that trickle in do not extend the deadline`() {
        let server = SimulatedServer(fetch: { _ in .response(.ok) })
        let (slow, silent) = (server.connect(), server.connect())
        for (second, byte) in "GET /\(String(repeating: "a", count: 100))".utf8.prefix(10).enumerated() {
            slow.send([byte])
            server.advance(.seconds(1))
            if second < 9 { #expect(slow.receivedBytes == [] && !silent.hasSeenEnd) }
        }
        server.advance(.milliseconds(128))
        #expect(Self.text(slow).hasPrefix("HTTP/1.1 408") && slow.hasSeenEnd)
        #expect(silent.receivedBytes == [] && silent.hasSeenEnd, "who asks nothing is told nothing")
        server.advance(.seconds(3))
        #expect(server.simulation.driver.openCount == 0)
    }

    @Test func `slow head: a connection that is kept has a deadline for each request`() {
        let server = SimulatedServer(fetch: { _ in .response(.ok) })
        let peer = server.connect()
        for _ in 0..<3 {
            // In two pieces, so that there is a head that has begun.
            peer.send(Array("GET / HTTP".utf8))
            server.rest()
            peer.send(Array("/1.1\r\nHost: t\r\n\r\n".utf8))
            server.advance(.seconds(5))
            #expect(String(decoding: peer.takeReceivedBytes(), as: UTF8.self).hasPrefix("HTTP/1.1 200"))
        }
        peer.send(Array("GET".utf8))
        server.advance(.milliseconds(9_900))
        #expect(peer.receivedBytes == [])
        server.advance(.milliseconds(228))
        #expect(Self.text(peer).hasPrefix("HTTP/1.1 408"))
    }

    @Test func `slow body: less than a kilobyte a second gets 408, more does not`() {
        let server = SimulatedServer(fetch: { request in .response(.ok, "\(request.body.byteCount)") })
        let (slow, fast) = (server.connect(), server.connect())
        for peer in [slow, fast] {
            peer.send(Array("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 65536\r\n\r\n".utf8))
        }
        for _ in 0..<58 where !fast.hasSeenEnd {
            if !slow.hasSeenEnd { slow.send([UInt8](repeating: 0x61, count: 500)) }
            fast.send([UInt8](repeating: 0x61, count: 1_130))
            server.advance(.seconds(1))
        }
        #expect(Self.text(slow).hasPrefix("HTTP/1.1 408") && slow.hasSeenEnd)
        #expect(Self.text(fast).hasPrefix("HTTP/1.1 200"))
    }

    @Test func `slow read: whoever takes an answer at a kilobyte a second is served, a trickle is cut`() {
        let server = SimulatedServer(fetch: { request in
            .response(.ok, request.path == "/large" ? String(repeating: "x", count: 60_000) : "small")
        })
        let (slow, trickling) = (server.connect(), server.connect())
        for peer in [slow, trickling] {
            peer.window = 1_000
            peer.send(Array("GET /large HTTP/1.1\r\nHost: t\r\n\r\n".utf8))
        }
        for _ in 0..<60 {
            server.advance(.seconds(1))
            slow.makeRoom(1_100)
            trickling.makeRoom(1)
        }
        #expect(trickling.isClosed && !slow.hasSeenEnd)
        // What its socket holds is not taken yet either.
        slow.window = .max
        for round in 0..<4 {
            slow.untakenByteCount = 50_000 - round * 12_000
            server.advance(.seconds(9))
        }
        slow.send(Array("GET /small HTTP/1.1\r\nHost: t\r\n\r\n".utf8))
        server.rest()
        #expect(Self.text(slow).hasSuffix("small"))
        slow.untakenByteCount = 0
        server.advance(.milliseconds(20_256))
        #expect(slow.hasSeenEnd, "idle for once the time, since it was seen to have taken everything")
    }

    @Test func `half-open peers: those that vanished are closed, and hold no descriptor, also if nobody answers`() {
        let journal = Journal<Int>()
        let server = SimulatedServer(
            WebSocketHandlers(
                options: .init(idleTimeout: .seconds(60)), message: { _, _ in },
                close: { _, code, _ in journal.note(Int(code.rawValue)) }))
        for _ in 0..<1_000 { _ = server.open() }
        #expect(server.simulation.driver.openCount == 1_000)
        server.advance(.milliseconds(60_128))
        #expect(journal.entries == Array(repeating: 1001, count: 1_000))
        server.advance(.milliseconds(2_128))
        #expect(server.simulation.driver.openCount == 0)
    }

    @Test func `half-open peers: a socket whose peer has ended its side is closed at once`() {
        let server = SimulatedServer(Self.echo)
        let socket = server.open()
        socket.peer.end()
        server.rest()
        #expect(socket.peer.isClosed && server.simulation.driver.openCount == 0)
    }

    @Test func `peers that send and never read: what is queued for them is bounded, and they are cut`() {
        let journal = Journal<Int>()
        let server = SimulatedServer(
            WebSocketHandlers(
                options: .init(backpressureLimit: 256 << 10),
                message: { ws, message in
                    ws.send(message)
                    journal.note(ws.bufferedAmount)
                }, close: { _, _, reason in journal.note(reason == "write stall" ? -1 : -2) }))
        let socket = server.open(window: 1_000)
        for _ in 0..<1_000 { socket.send(.binary, [UInt8](repeating: 1, count: 1_000)) }
        #expect(journal.entries.count == 1_000)
        #expect(journal.entries.allSatisfy { $0 <= 256 << 10 + 1_004 })
        server.advance(.milliseconds(61_128))
        #expect(journal.entries.last == -1 && socket.peer.isClosed)
    }

    @Test func `peers that send and never read: pipelined requests wait, unread, in the peer's own kernel`() {
        let asked = Journal<Int>()
        let server = SimulatedServer(fetch: { _ in
            asked.note(1)
            return .response(.ok, bytes: [UInt8](repeating: 1, count: 64 << 10))
        })
        let peer = server.connect()
        peer.window = 1_000
        let request = Array("GET / HTTP/1.1\r\nHost: t\r\n\r\n".utf8)
        for _ in 0..<100 {
            peer.send((0..<1_000).flatMap { _ in request })
            server.rest()
        }
        #expect(asked.entries.count <= 5, "answers beyond 256 KiB wait for the reader")
        #expect(peer.unreadByteCount > 2 << 20, "and so do the requests")
    }

    @Test func `ping flood: 1,000 in ten seconds are answered, the next one closes with 1008`() {
        let server = SimulatedServer(Self.echo)
        let socket = server.open()
        socket.peer.send((0..<3_000).flatMap { _ in SocketClient.encode(.ping, [1]) })
        server.rest()
        let frames = socket.frames()
        #expect(frames.count == 1_001 && frames.dropLast().allSatisfy { $0 == .init(opcode: .pong, payload: [1]) })
        #expect(frames.last?.closeCode == 1008)
    }

    @Test func `ping flood: a peer that does not read costs the room of its pongs, whose last is the newest`() {
        let server = SimulatedServer(
            WebSocketHandlers(message: { ws, _ in ws.send([UInt8](repeating: 1, count: 10_000)) }))
        let socket = server.open(window: 100)
        socket.send("go")
        for number in 0..<900 { socket.send(.ping, [UInt8](repeating: UInt8(number & 0xFF), count: 125)) }
        socket.peer.makeRoom(.max)
        server.rest()
        let frames = socket.frames()
        #expect(frames.reduce(0) { $0 + $1.payload.count } < 10_000 + Session.controlRoom + 250)
        #expect(frames.first?.payload.count == 10_000 && frames.last?.payload.first == UInt8(899 & 0xFF))
    }

    @Test(arguments: ["/", "/ws", "/later"])
    func `response splitting: a line break in a user header never reaches the wire`(_ path: String) async throws {
        try await serving(fetch: { request in
            // HTTPTypes puts spaces in its place, so that it cannot be known here.
            let headers: HTTPFields = [.server: "a\r\nX-Split: b\r\n\r\nHTTP/1.1 200 OK"]
            switch request.path {
            case "/ws": return .upgrade(to: Self.echo, headers: headers)
            case "/later": return .deferred { .response(.ok, headers: headers) }
            default: return .response(.ok, headers: headers)
            }
        }) { server in
            let client = try TCPClient(port: server.port)
            try client.send(SocketClient.request(path: path))
            let answer = try client.readAnswer()
            #expect(answer["Server"]?.contains("X-Split: b") == true)
            #expect(answer["X-Split"] == nil)
            // An upgrade stays open; other answers to such a request end the connection.
            if path != "/ws" { #expect(try client.isAtEnd(), "there is no second response") }
            if path == "/ws" { #expect(!client.hasInput(within: 20), "there is no second response") }
        }
    }

    @Test(arguments: ["/", "/ws"])
    func `response splitting: what HTTPTypes lets through and must not be sent is a 500`(_ path: String) async throws {
        try await serving(fetch: { request in
            let field = HTTPField(name: .server, lenientValue: Array("a\u{1}b".utf8))
            return request.path == "/"
                ? .response(.ok, headers: HTTPFields([field])) : .upgrade(to: Self.echo, headers: HTTPFields([field]))
        }) { server in
            let client = try TCPClient(port: server.port)
            try client.send(SocketClient.request(path: path))
            let answer = try client.readAnswer()
            #expect(answer.status == 500 && answer["Server"] == nil)
        }
    }

    @Test func `connects with resets: thousands leave neither descriptors nor memory behind`() async throws {
        try await serving(fetch: { request in
            request.path == "/ws" ? .upgrade(to: Self.echo) : .response(.ok, "hello")
        }) { server in
            let before = openDescriptorCount()
            func wave() throws {
                for number in 0..<2_000 {
                    let client = try TCPClient(port: server.port)
                    switch number % 4 {
                    case 0: break
                    case 1: try client.send("GET / HT")
                    case 2: try client.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n")
                    default: try client.send(SocketClient.request(path: "/ws"))
                    }
                    client.reset()
                }
                #expect(eventually { server.statistics.allSatisfy { $0.connections == 0 && $0.sockets == 0 } })
                #expect(eventually { openDescriptorCount() <= before })
            }
            try wave()
            let resident = residentBytes()
            try wave()
            #expect(residentBytes() <= resident + 4 << 20, "the second wave needs nothing that the first did not")
            #expect(try TCPClient(port: server.port).get("/").text == "hello")
        }
    }

    /// Memory of this process.
    private func residentBytes() -> Int {
        guard let file = unsafe fopen("/proc/self/statm", "r") else { return 0 }
        defer { unsafe fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard unsafe fgets(&line, 128, file) != nil else { return 0 }
        let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return (Int(text.split(separator: " ")[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}
