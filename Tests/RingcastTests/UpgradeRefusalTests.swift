import ReactorTesting
import Testing

@testable import Ringcast

/// What comes behind a request for a WebSocket may be frames: if it is refused, nothing of that is read as a request,
/// however the input was cut into segments.
@Suite(.endingAll) struct UpgradeRefusalTests {
    struct Refusal: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let request: String
        let status: Int
    }

    private static let refusals = [
        Refusal(
            testDescription: "a bad version",
            request: SocketClient.request(path: "/ws").replacing("Version: 13", with: "Version: 8"), status: 426),
        Refusal(
            testDescription: "a foreign origin",
            request: SocketClient.request(path: "/ws", fields: ["Origin: http://evil.example"]), status: 403),
        Refusal(testDescription: "an unknown path", request: SocketClient.request(path: "/none"), status: 404),
        Refusal(testDescription: "refused later", request: SocketClient.request(path: "/later"), status: 401),
        Refusal(testDescription: "taken for a page", request: SocketClient.request(path: "/page"), status: 200),
        Refusal(testDescription: "a mistake of ours", request: SocketClient.request(path: "/throws"), status: 500),
        Refusal(
            testDescription: "in other words",
            request: SocketClient.request(path: "/none").replacing(
                "Upgrade: websocket", with: "upgrade: h2c, WebSocket"
            )
            .replacing("Connection: Upgrade", with: "connection: keep-alive, UPGRADE"), status: 404),
    ]

    private static let next = "GET /stats HTTP/1.1\r\nHost: test\r\n\r\n"

    private struct Oops: Error {}

    private func server(_ paths: Journal<String>) -> SimulatedServer {
        SimulatedServer(fetch: { request in
            paths.note(request.path)
            switch request.path {
            case "/ws": return .upgrade(to: UpgradeTests.echo)
            case "/later": return .deferred { .response(.unauthorized, "no") }
            case "/page": return .response(.ok, "a page")
            case "/throws": throw Oops()
            default: return .response(.notFound, "no")
            }
        })
    }

    @Test(arguments: refusals)
    func `nothing behind a refused upgrade is served`(_ refusal: Refusal) {
        let bytes = Array((refusal.request + Self.next).utf8)
        for split in 1...bytes.count {
            let paths = Journal<String>()
            let server = server(paths)
            let peer = server.connect()
            peer.send(Array(bytes[..<split]))
            server.rest()
            server.advance(.milliseconds(60))
            if !peer.isClosed { peer.send(Array(bytes[split...])) }
            server.rest()
            let answer = String(decoding: peer.receivedBytes, as: UTF8.self)
            #expect(paths.entries.count == 1 && !paths.entries.contains("/stats"), "split at \(split)")
            #expect(answer.hasPrefix("HTTP/1.1 \(refusal.status) "), "split at \(split)")
            #expect(answer.contains(/\r\nConnection: (upgrade, |Upgrade, )?close\r\n/), "split at \(split)")
            #expect(answer.ranges(of: "HTTP/1.1").count == 1, "split at \(split)")
            #expect(peer.hasSeenEnd, "split at \(split)")
        }
    }

    @Test(arguments: ["Connection: upgrade\r\n", "Connection: upgrade\r\nUpgrade: h2c\r\n", "Upgrade: websocket\r\n"])
    func `a request that asks for no WebSocket stays an ordinary one`(_ fields: String) {
        let request = "GET /page HTTP/1.1\r\nHost: test\r\n\(fields)\r\n"
        let bytes = Array((request + Self.next).utf8)
        for split in 1...bytes.count {
            let paths = Journal<String>()
            let server = server(paths)
            let peer = server.connect()
            peer.send(Array(bytes[..<split]))
            server.rest()
            server.advance(.milliseconds(60))
            peer.send(Array(bytes[split...]))
            server.rest()
            #expect(paths.entries == ["/page", "/stats"], "split at \(split)")
            #expect(!peer.hasSeenEnd, "split at \(split)")
        }
    }
}
