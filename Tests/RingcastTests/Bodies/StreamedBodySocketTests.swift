import ReactorTesting
import Ringcast
import Synchronization
import Testing

/// Bodies that are read as they come, over real sockets.
@Suite struct StreamedBodySocketTests {
    /// What readers have seen.
    private final class Reading: Sendable {
        let byteCount = Atomic<Int>(0)
        let longestPiece = Atomic<Int>(0)
        let isOpen = Atomic<Bool>(false)
        let endings = Journal<String>()
    }

    /// Reads bodies on a thread of its own, once `isOpen`.
    private static func routes(_ reading: Reading, limit: Int = 1 << 30) -> Routes {
        var routes = Routes()
        let options = RouteOptions(bodyLimit: limit, streamsBody: true)
        routes.post("/upload", options: options) { request in
            let body = request.body(streaming: 65_536)
            return .deferred(within: .seconds(120)) {
                let reader = Task(executorPreference: BlockingExecutor()) {
                    do throws(RequestBodyError) {
                        for try await piece in body {
                            _ = eventually { reading.isOpen.load(ordering: .relaxed) }
                            reading.byteCount.add(piece.count, ordering: .relaxed)
                            reading.longestPiece.max(piece.count, ordering: .relaxed)
                        }
                        reading.endings.note("whole")
                    } catch {
                        reading.endings.note("\(error.code)")
                    }
                }
                await reader.value
                return .response(.ok, "\(reading.byteCount.load(ordering: .relaxed))")
            }
        }
        return routes
    }

    private static let block = [UInt8](repeating: 120, count: 1 << 20)

    @Test func `an upload of 100 MiB waits in the client while the handler is behind`() async throws {
        let reading = Reading()
        try await serving(Self.routes(reading)) { server in
            let client = try TCPClient(port: server.port)
            try client.send(StreamingUpload.head("Content-Length: \(100 << 20)"))
            // The handler begins to read once nothing more comes.
            let taken = Atomic<Int>(0)
            let watch = RepeatingThread {
                let last = taken.load(ordering: .relaxed)
                pause(.milliseconds(200))
                let count = server.totals.bytesIn
                if last > 100_000, count == last { reading.isOpen.store(true, ordering: .relaxed) }
                if !reading.isOpen.load(ordering: .relaxed) { taken.store(count, ordering: .relaxed) }
            }
            defer { watch.stop() }
            for _ in 0..<100 { try client.send(Self.block) }
            #expect(try client.readAnswer().text == "\(100 << 20)")
            // The window, 64 KiB that the connection holds, and all receive buffers of a loop.
            let count = taken.load(ordering: .relaxed)
            #expect(count <= 65_536 * 2 + 10 << 20 + 1_000, "the server has taken \(count) bytes that nobody reads")
            #expect(reading.endings.entries == ["whole"])
            #expect(reading.longestPiece.load(ordering: .relaxed) <= 65_536)
            #expect(try client.get("/").status == 404, "the connection goes on")
        }
    }

    @Test func `chunks over the limit are answered 413, though the client goes on sending`() async throws {
        let reading = Reading()
        reading.isOpen.store(true, ordering: .relaxed)
        try await serving(Self.routes(reading, limit: 100_000)) { server in
            let client = try TCPClient(port: server.port)
            try client.send(StreamingUpload.head("Transfer-Encoding: chunked"))
            for _ in 0..<5 { try client.send("8000\r\n" + String(repeating: "x", count: 32_768) + "\r\n") }
            #expect(try client.readAnswer().status == 413)
        }
        #expect(reading.endings.entries == ["tooLarge"])
    }

    @Test func `a client that waits for leave is told to go on by the first look at the body`() async throws {
        let reading = Reading()
        reading.isOpen.store(true, ordering: .relaxed)
        try await serving(Self.routes(reading)) { server in
            let client = try TCPClient(port: server.port)
            try client.send(StreamingUpload.head("Content-Length: 5", "Expect: 100-continue"))
            #expect(try client.readAnswer().status == 100)
            try client.send("hello")
            #expect(try client.readAnswer().text == "5")
        }
    }

    @Test func `a client that leaves in the middle ends the reader`() async throws {
        let reading = Reading()
        reading.isOpen.store(true, ordering: .relaxed)
        try await serving(Self.routes(reading)) { server in
            let client = try TCPClient(port: server.port)
            try client.send(StreamingUpload.head("Content-Length: 500000") + "some")
            #expect(eventually { reading.byteCount.load(ordering: .relaxed) == 4 })
            client.reset()
            #expect(reading.endings.wait() == ["disconnected"])
            #expect(eventually { server.pendingRequests == 0 })
        }
    }
}
