import HTTPTypes
import ReactorTesting
import Testing

@testable import Ringcast

/// Answers that the engine makes by itself, over simulated connections.
@Suite(.endingAll) struct HTTPAnswerTests {
    private struct Oops: Error {}

    private func server() -> SimulatedServer {
        SimulatedServer(
            { $0.limits.bodyBytes = 100 },
            fetch: { request in
                switch request.path {
                case "/upgrade": return .upgrade(to: UpgradeTests.echo)
                case "/throws": throw Oops()
                case "/interim": return .response(.switchingProtocols, "no")
                case "/later": return .deferred { throw Oops() }
                case "/never":
                    return .deferred {
                        for await _ in AsyncStream<Void>.makeStream().stream {}
                        return .response(.ok)
                    }
                default: return .response(.ok, "hello")
                }
            })
    }

    private func pendingRequests(of server: SimulatedServer) -> UInt64 {
        server.core.counters[0].load().pendingRequests
    }

    /// What is sent, and how it is answered.
    struct Exchange: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let request: String
        let status: Int

        init(_ status: Int, _ name: String, _ request: String) {
            (self.status, testDescription, self.request) = (status, name, request)
        }
    }

    private static let exchanges = [
        Exchange(200, "served", "HEAD / HTTP/1.1\r\nHost: t\r\n\r\n"),
        Exchange(400, "a bad Host", "HEAD / HTTP/1.1\r\nHost: a:b\r\n\r\n"),
        Exchange(400, "a bad version", "HEAD / HTTP/x\r\n\r\n"),
        Exchange(400, "bad chunks", "HEAD / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"),
        Exchange(405, "an upgrade", SocketClient.request(path: "/upgrade").replacing("GET", with: "HEAD")),
        Exchange(408, "half a head", "HEAD / HTTP/1.1\r\nHos"),
        Exchange(408, "half a body", "HEAD / HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\nhalf"),
        Exchange(413, "a long body", "HEAD / HTTP/1.1\r\nHost: t\r\nContent-Length: 101\r\n\r\n"),
        Exchange(
            413, "a long chunk", "HEAD / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nFF\r\n"),
        Exchange(414, "a long target", "HEAD /\(String(repeating: "x", count: 9_000))"),
        Exchange(417, "an expectation", "HEAD / HTTP/1.1\r\nHost: t\r\nExpect: much\r\n\r\n"),
        Exchange(431, "a long head", "HEAD / HTTP/1.1\r\nX: \(String(repeating: "x", count: 17_000))"),
        Exchange(500, "a throw", "HEAD /throws HTTP/1.1\r\nHost: t\r\n\r\n"),
        Exchange(500, "a later throw", "HEAD /later HTTP/1.1\r\nHost: t\r\n\r\n"),
        Exchange(500, "an interim response", "HEAD /interim HTTP/1.1\r\nHost: t\r\n\r\n"),
        Exchange(501, "a coding", "HEAD / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: x\r\n\r\n"),
        Exchange(503, "never", "HEAD /never HTTP/1.1\r\nHost: t\r\n\r\n"),
        Exchange(505, "HTTP/2", "HEAD / HTTP/2.0\r\n\r\n"),
    ]

    @Test(arguments: exchanges, [true, false])
    func `an answer to HEAD has no body, and nothing stays pending`(_ exchange: Exchange, _ isHead: Bool) throws {
        let server = server()
        let peer = server.connect()
        let request = isHead ? exchange.request : exchange.request.replacing("HEAD", with: "PUT")
        peer.send(Array(request.utf8))
        server.rest()
        if exchange.status == 408 || exchange.status == 503 { server.advance(.seconds(31)) }
        let answer = String(decoding: peer.receivedBytes, as: UTF8.self)
        #expect(answer.hasPrefix("HTTP/1.1 \(exchange.status) "))
        // The length that GET would have had.
        #expect(!answer.contains("\r\nContent-Length: 0\r\n") && answer.contains("\r\nContent-Length: "))
        #expect(answer.ranges(of: "HTTP/1.1 \(exchange.status)").count == 1)
        #expect(answer.hasSuffix("\r\n\r\n") == isHead)
        #expect(answer.contains("\r\nConnection: close\r\n") == peer.hasSeenEnd)
        #expect(pendingRequests(of: server) == 0)
        server.advance(.seconds(60))
        #expect(pendingRequests(of: server) == 0)
        #expect(server.simulation.loop.connectionCount == 0)
    }

    @Test(arguments: [100, 101, 103, 199])
    func `an interim response that is given as the answer is a 500`(_ code: Int) {
        let server = SimulatedServer(fetch: { _ in .response(.init(code: code), "no") })
        let peer = server.connect()
        peer.send(Array("GET / HTTP/1.1\r\nHost: t\r\n\r\n".utf8))
        server.rest()
        let answer = String(decoding: peer.receivedBytes, as: UTF8.self)
        #expect(answer.hasPrefix("HTTP/1.1 500 ") && answer.hasSuffix("Internal Server Error\n"))
    }
}
