import ReactorTesting
import Testing

@testable import Ringcast

/// Deferred replies over simulated connections: a client that leaves, and a deadline.
@Suite(.endingAll) struct DeferredReplyTests {
    private static let request = "GET /later HTTP/1.1\r\nHost: t\r\n\r\n"

    private func pendingRequests(of server: SimulatedServer) -> UInt64 {
        server.core.counters[0].load().pendingRequests
    }

    enum Leaving: CaseIterable { case end, reset, endBehindMuch, resetBehindMuch }

    @Test(arguments: Leaving.allCases)
    func `a client that leaves is noticed within a second, and its task is cancelled`(_ leaving: Leaving) {
        let gate = Gate()
        let journal = Journal<String>()
        let server = SimulatedServer(fetch: { _ in
            .deferred {
                journal.note(await gate.wait() ? "opened" : "cancelled")
                return .response(.ok, "late")
            }
        })
        let peer = server.connect()
        peer.send(Array(Self.request.utf8))
        server.advance(.seconds(5))
        #expect(journal.entries.isEmpty && pendingRequests(of: server) == 1)
        if leaving == .endBehindMuch || leaving == .resetBehindMuch {
            // More than is read ahead: what comes behind it is not seen.
            for _ in 0..<2 {
                peer.send([UInt8](repeating: 120, count: 300_000))
                server.rest()
            }
            #expect(peer.unreadByteCount > 0)
        }
        if leaving == .end || leaving == .endBehindMuch { peer.end() } else { peer.reset() }
        if leaving == .end {
            server.rest()
            #expect(journal.entries.isEmpty, "the connection is not read: the kernel is asked for the end")
        }
        server.advance(.seconds(1))
        #expect(journal.entries == ["cancelled"])
        #expect(pendingRequests(of: server) == 0)
        #expect(peer.receivedBytes.isEmpty)
        server.advance(.seconds(3))
        #expect(peer.isClosed)
        #expect(server.simulation.loop.connectionCount == 0)
    }

    @Test(arguments: [true, false])
    func `a reply that comes when the client has left is not given, and no socket opens`(_ upgrades: Bool) {
        let gate = Gate()
        let opens = Journal<String>()
        let handlers = WebSocketHandlers<Void>(
            open: { _ in opens.note("open") }, close: { _, _, _ in opens.note("close") })
        let server = SimulatedServer(fetch: { _ in
            .deferred {
                _ = await gate.wait()
                return upgrades ? .upgrade(to: handlers) : .response(.ok, "late")
            }
        })
        let peer = server.connect()
        peer.send(Array((upgrades ? SocketClient.request() : Self.request).utf8))
        server.rest()
        peer.end()
        // No time passes: it has not been looked for.
        gate.opener.yield()
        server.rest()
        #expect(opens.entries.isEmpty)
        #expect(peer.receivedBytes.isEmpty && peer.isClosed)
    }

    @Test(arguments: [nil, Duration.seconds(2)])
    func `a reply that takes too long is a 503, and does not answer the next request`(_ timeout: Duration?) {
        let (first, second) = (Gate(), Gate())
        let journal = Journal<String>()
        let server = SimulatedServer(fetch: { request in
            let isFirst = request.path == "/later"
            return .deferred(within: isFirst ? timeout : nil) {
                if isFirst {
                    journal.note(await first.wait() ? "opened" : "cancelled")
                    // Cancelled, and in no hurry.
                    return .response(.ok, "first")
                }
                _ = await second.wait()
                return .response(.ok, "second")
            }
        })
        let peer = server.connect()
        peer.send(Array((Self.request + "GET /next HTTP/1.1\r\nHost: t\r\n\r\n").utf8))
        server.advance((timeout ?? .seconds(30)) - .milliseconds(1))
        #expect(peer.receivedBytes.isEmpty && journal.entries.isEmpty)
        server.advance(.milliseconds(130))
        #expect(String(decoding: peer.takeReceivedBytes(), as: UTF8.self).hasPrefix("HTTP/1.1 503 "))
        #expect(journal.entries == ["cancelled"])
        #expect(peer.receivedBytes.isEmpty && pendingRequests(of: server) == 1)
        second.opener.yield()
        server.rest()
        #expect(String(decoding: peer.takeReceivedBytes(), as: UTF8.self).hasSuffix("\r\n\r\nsecond"))
        #expect(pendingRequests(of: server) == 0 && !peer.hasSeenEnd)
    }
}
