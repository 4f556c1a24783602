import HTTPTypes
import ReactorTesting
import Testing

@testable import Ringcast

/// Streamed answers to clients that are slow, that leave, and of servers that stop: in virtual time.
@Suite(.endingAll) struct StreamFlowTests {
    private static let request = Array("GET / HTTP/1.1\r\nHost: t\r\n\r\n".utf8)
    private static let piece = 64 << 10

    /// Streams pieces, and notes each that is written, and how it ended.
    private func streaming(
        _ count: Int, _ journal: Journal<String>, _ change: (inout ServerConfiguration) -> Void = { _ in }
    ) -> SimulatedServer {
        SimulatedServer(
            change,
            fetch: { _ in
                .stream(length: count * Self.piece) { writer in
                    do {
                        for number in 0..<count {
                            try await writer.write(
                                [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: Self.piece))
                            journal.note("\(number)")
                        }
                        journal.note("done")
                    } catch {
                        journal.note(error is CancellationError && Task.isCancelled ? "cancelled" : "\(error)")
                        throw error
                    }
                }
            })
    }

    private func pendingRequests(of server: SimulatedServer) -> UInt64 {
        server.core.counters[0].load().pendingRequests
    }

    @Test func `a writer waits while the client is behind, with a bounded queue, and all arrives`() throws {
        let journal = Journal<String>()
        let server = streaming(64, journal)
        let peer = server.connect()
        peer.window = 1_000
        peer.send(Self.request)
        server.rest()
        let most = 1_000 / Self.piece + HTTPExchange.outputWatermark / Self.piece
        #expect(journal.entries.count <= most && !journal.entries.isEmpty)
        // A client that takes some of it now and then makes it go on, and is not cut.
        for _ in 0..<20 {
            let before = journal.entries.count
            peer.makeRoom(100_000)
            server.advance(.seconds(30))
            #expect(journal.entries.count <= before + HTTPExchange.outputWatermark / Self.piece + 1)
        }
        #expect(journal.entries.count > most && !peer.isClosed)
        peer.window = .max
        server.rest()
        #expect(journal.entries.last == "done" && journal.entries.count == 65)
        let body = peer.receivedBytes.suffix(64 * Self.piece)
        let isWhole = body.enumerated().allSatisfy { $0.element == UInt8($0.offset / Self.piece) }
        #expect(isWhole && peer.receivedBytes.count < 64 * Self.piece + 500)
    }

    @Test func `one write may be larger than what is queued at once`() throws {
        let journal = Journal<String>()
        let server = SimulatedServer(fetch: { _ in
            .stream { writer in
                try await writer.write([UInt8](repeating: 120, count: 1 << 20))
                journal.note("written")
            }
        })
        let peer = server.connect()
        peer.window = 0
        peer.send(Self.request)
        server.rest()
        #expect(journal.entries == [])
        peer.window = .max
        server.rest()
        #expect(journal.entries == ["written"])
        #expect(peer.receivedBytes.count { $0 == 120 } == 1 << 20)
        #expect(peer.receivedBytes.suffix(7) == Array("\r\n0\r\n\r\n".utf8))
    }

    @Test func `writes of several tasks come whole and in order`() throws {
        let server = SimulatedServer(fetch: { _ in
            .stream(length: 3 << 20) { writer in
                try await withThrowingTaskGroup { group in
                    for byte in UInt8(1)...3 {
                        group.addTask { try await writer.write([UInt8](repeating: byte, count: 1 << 20)) }
                    }
                    try await group.waitForAll()
                }
            }
        })
        let peer = server.connect()
        peer.window = 50_000
        peer.send(Self.request)
        server.rest()
        peer.window = .max
        server.rest()
        let body = Array(peer.receivedBytes.suffix(3 << 20))
        var changes = 0
        for index in 1..<body.count where body[index] != body[index - 1] { changes += 1 }
        #expect(changes == 2 && Set(body) == [1, 2, 3])
    }

    @Test(arguments: [true, false], [true, false])
    func `a client that leaves is noticed within a second, writing or not`(_ resets: Bool, _ isWriting: Bool) {
        let (journal, gate) = (Journal<String>(), Gate())
        let server = SimulatedServer(fetch: { _ in
            .stream { writer in
                try await writer.write("first")
                if isWriting {
                    do {
                        while true { try await writer.write([UInt8](repeating: 1, count: Self.piece)) }
                    } catch { journal.note("threw \(error is CancellationError)") }
                } else {
                    journal.note(await gate.wait() ? "opened" : "cancelled")
                }
                do { try await writer.write("more") } catch { journal.note("too late") }
            }
        })
        let peer = server.connect()
        peer.window = 100_000
        peer.send(Self.request)
        server.advance(.seconds(5))
        #expect(journal.entries == [] && pendingRequests(of: server) == 1)
        if resets { peer.reset() } else { peer.end() }
        server.advance(.seconds(1))
        #expect(journal.entries == [isWriting ? "threw true" : "cancelled", "too late"])
        #expect(pendingRequests(of: server) == 0 && server.simulation.loop.connectionCount == 0)
    }

    @Test func `a body that writes for ever ends in the turn that brings the client's end`() {
        let (journal, gate) = (Journal<String>(), Gate())
        let server = SimulatedServer(fetch: { _ in
            .stream { writer in
                try await writer.write("first")
                _ = await gate.wait()
                do {
                    // The connection is over, so its queue never fills: for ever would be for ever.
                    for _ in 0..<1_000 { try await writer.write([UInt8](repeating: 1, count: Self.piece)) }
                    journal.note("nothing refused it")
                } catch {
                    journal.note("threw \(error is CancellationError) \(Task.isCancelled)")
                }
            }
        })
        let peer = server.connect()
        peer.send(Self.request)
        server.rest()
        // One turn hears of both.
        peer.reset()
        gate.open()
        server.rest()
        #expect(journal.entries == ["threw true true"])
        #expect(pendingRequests(of: server) == 0 && server.simulation.loop.connectionCount == 0)
    }

    @Test func `a client that takes nothing for the write-stall time is cut`() {
        let journal = Journal<String>()
        let server = streaming(64, journal) { $0.limits.writeStallTimeout = .seconds(20) }
        let peer = server.connect()
        peer.window = 100_000
        peer.send(Self.request)
        server.advance(.seconds(19))
        #expect(!peer.isClosed && journal.entries.last != "cancelled")
        server.advance(.seconds(3))
        #expect(peer.isClosed && journal.entries.last == "cancelled")
        #expect(pendingRequests(of: server) == 0)
    }

    @Test(arguments: [true, false])
    func `a server that stops lets a stream end within its patience, then cuts it`(_ ends: Bool) {
        let (journal, gate) = (Journal<String>(), Gate())
        let server = SimulatedServer(fetch: { _ in
            .stream { writer in
                try await writer.write("first")
                journal.note(await gate.wait() ? "opened" : "cancelled")
                try await writer.write("last")
            }
        })
        let peer = server.connect()
        peer.send(Self.request)
        server.rest()
        server.stop(within: .zero, deadline: .seconds(30))
        server.advance(.seconds(29))
        #expect(journal.entries == [] && !peer.isClosed)
        if ends {
            gate.open()
            server.rest()
            #expect(peer.receivedBytes.suffix(14) == Array("4\r\nlast\r\n0\r\n\r\n".utf8))
            #expect(peer.hasSeenEnd && journal.entries == ["opened"])
            peer.end()
        }
        server.advance(.seconds(2))
        #expect(journal.entries == [ends ? "opened" : "cancelled"])
        #expect(server.simulation.loop.hasEnded)
    }

    @Test func `a writer that outlives its body throws`() {
        let (journal, gate) = (Journal<String>(), Gate())
        let server = SimulatedServer(fetch: { _ in
            .stream { writer in
                try await writer.write("a")
                Task {
                    _ = await gate.wait()
                    do { try await writer.write("b") } catch { journal.note("\(error is CancellationError)") }
                }
            }
        })
        let peer = server.connect()
        peer.send(Self.request)
        server.rest()
        gate.open()
        #expect(
            eventually {
                server.rest()
                return journal.entries == ["true"]
            })
        #expect(String(decoding: peer.receivedBytes, as: UTF8.self).hasSuffix("\r\n1\r\na\r\n0\r\n\r\n"))
    }
}
