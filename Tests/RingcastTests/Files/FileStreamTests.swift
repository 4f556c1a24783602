import HTTPTypes
import ReactorTesting
import Ringcast
import Synchronization
import Testing

/// Files that are longer than what is read at once.
@Suite(.endingAll) struct FileStreamTests {
    private static let bytes = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 13 &+ $0 >> 9) }

    private static func routes(_ folder: TemporaryFolder) -> Routes {
        let path = folder.path
        var routes = Routes()
        routes.get("/*path") { request in .file(request.parameter("path")!, in: path) }
        return routes
    }

    @Test func `a long file, parts of it and what follows arrive whole`() async throws {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        folder.write(Self.bytes, to: "long.bin")
        try await serving(Self.routes(folder)) { server in
            let client = try TCPClient(port: server.port)
            #expect(try client.get("/long.bin").body == Self.bytes)
            for range in [0..<65_536, 0..<65_537, 1..<4_999_999, 4_999_999..<5_000_000, 100_000..<300_000] {
                let answer = try client.get("/long.bin", "Range: bytes=\(range.lowerBound)-\(range.upperBound - 1)")
                #expect(answer.status == 206 && answer.body == Array(Self.bytes[range]))
            }
            try client.send("HEAD /long.bin HTTP/1.1\r\nHost: t\r\n\r\n")
            #expect(try client.readAnswer(hasBody: false)["Content-Length"] == "5000000")
            #expect(try client.get("/none").status == 404)
        }
    }

    @Test func `many clients read at once`() async throws {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        folder.write(Self.bytes, to: "long.bin")
        try await serving(Self.routes(folder)) { server in
            let clients = try (0..<10).map { _ in try TCPClient(port: server.port) }
            for client in clients { try client.send("GET /long.bin HTTP/1.1\r\nHost: t\r\n\r\n") }
            for client in clients { #expect(try client.readAnswer().body == Self.bytes) }
        }
    }

    @Test func `a file that becomes shorter while it is sent is cut off, not filled up`() throws {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        folder.write(Self.bytes, to: "long.bin")
        let server = try SimulatedServer(Self.routes(folder))
        let peer = server.connect()
        peer.window = 100_000
        peer.send(Array("GET /long.bin HTTP/1.1\r\nHost: t\r\n\r\n".utf8))
        // Where the file system cannot tell what is in memory, Swift's pool reads.
        #expect(
            eventually {
                server.rest()
                return peer.receivedBytes.count == 100_000
            })
        folder.shorten("long.bin", to: 1_000_000)
        peer.makeRoom(10_000_000)
        #expect(
            eventually {
                server.rest()
                return peer.hasSeenReset
            })
        #expect(peer.receivedBytes.count < 1_100_000)
    }
}
