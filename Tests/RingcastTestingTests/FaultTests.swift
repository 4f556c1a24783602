import Ringcast
import RingcastTesting
import Testing

@Suite struct FaultTests {
    /// Sockets that hear everything that is published, and say what became of it.
    private func app(_ journal: Journal, _ options: WebSocketOptions = .init(), loops: Int = 1) throws -> TestServer {
        let handlers = WebSocketHandlers<Void>(
            options: options, open: { ws in ws.subscribe(to: "all") },
            message: { ws, message in journal.note("\(ws.publish(message, to: "all"))") },
            close: { _, code, reason in journal.note("close \(code.rawValue) \(reason)") },
            dropped: { _, message in journal.note("dropped \(message.byteCount)") })
        return try TestServer(loops: loops) { _ in .upgrade(to: handlers) }
    }

    @Test func `a client that stalls makes publishers feel it, and gets what has waited`() throws {
        let journal = Journal()
        let app = try app(journal, .init(backpressureLimit: 1_500))
        let (publisher, slow) = (try app.connect(), try app.connect())
        slow.stall(after: 100)
        for _ in 0..<3 { publisher.send(String(repeating: "x", count: 1_000)) }
        #expect(journal.entries.first == "sent(bytes: 1000)" && journal.entries.contains("backpressure"))
        #expect(journal.entries.filter { $0 == "dropped 1000" }.count == 1)
        #expect(slow.received == [], "it does not read")
        slow.resume()
        #expect(slow.received.count == 2 && slow.isOpen)
    }

    @Test func `a client that stalls for good is cut by the write-stall time`() throws {
        let journal = Journal()
        let app = try app(journal, .init(writeStallTimeout: .seconds(60)))
        let (publisher, slow) = (try app.connect(), try app.connect())
        slow.stall()
        publisher.send("hello")
        app.advance(by: .seconds(59))
        #expect(slow.isConnected)
        app.advance(by: .seconds(4))
        #expect(!slow.isConnected && slow.closeCode == .abnormalClosure && publisher.isOpen)
        #expect(journal.entries == ["sent(bytes: 5)", "close 1006 write stall"])
    }

    @Test func `a reset and a FIN end the socket without a Close frame`() throws {
        let journal = Journal()
        let app = try app(journal)
        let (cut, ended) = (try app.connect(), try app.connect())
        cut.reset()
        #expect(!cut.isOpen && !cut.isConnected && cut.closeCode == .abnormalClosure)
        ended.end()
        #expect(!ended.isOpen && !ended.isConnected)
        #expect(journal.entries.map { $0.prefix(10) } == ["close 1006", "close 1006"])
        #expect(app.server.totals.connections == 0)
        #expect(!cut.send("late") && !ended.send(raw: [1]))
        cut.reset()
        ended.end()
    }

    @Test func `a silent client is closed after its idle time, to the millisecond`() throws {
        let journal = Journal()
        let app = try app(journal, .init(idleTimeout: .seconds(120), sendPings: false))
        let client = try app.connect()
        app.advance(by: .milliseconds(119_999))
        #expect(client.isOpen)
        app.advance(by: .milliseconds(129))
        #expect(client.closeCode == .goingAway && journal.entries.count == 1)
    }

    @Test func `what is under way takes its time, in order, and time-outs see it`() throws {
        let journal = Journal()
        let app = try app(journal, loops: 2)
        app.network.delay = .milliseconds(50)
        let (ann, bob) = (try app.connect(), try app.connect())
        #expect(app.clock.now.offset == .milliseconds(200), "there and back, twice")
        ann.send("slow")
        app.network.delay = .zero
        ann.send("not faster")
        #expect(journal.entries == [] && bob.received == [])
        app.advance(by: .milliseconds(49))
        #expect(journal.entries == [])
        app.network.delay = .seconds(1)
        app.advance(by: .milliseconds(1))
        #expect(journal.entries.count == 2 && bob.received == [])
        app.advance(by: .milliseconds(999))
        #expect(bob.received == [])
        app.advance(by: .milliseconds(1))
        #expect(bob.received.map(\.string) == ["slow", "not faster"])
        #expect(try app.request(.get, "/").status == .upgradeRequired)
        bob.close()
        #expect(bob.isConnected && bob.closeCode == nil, "the answer is under way")
        app.advance(by: .seconds(2))
        #expect(bob.closeCode == .normalClosure)
    }

    @Test func `a client that leaves while its answer is made is noticed`() throws {
        let (journal, clock) = (Journal(), TestClock())
        let app = try TestServer(clock: clock) { _ in
            .deferred {
                do { try await clock.sleep(for: .seconds(20)) } catch { journal.note("cancelled") }
                return .response(.ok)
            }
        }
        let request = try app.beginRequest(.get, "/slow")
        #expect(request.response == nil && request.isConnected)
        request.reset()
        app.advance(by: .seconds(1))
        #expect(journal.entries == ["cancelled"] && !request.isConnected)
    }
}
