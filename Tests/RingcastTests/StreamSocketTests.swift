import ReactorTesting
import Ringcast
import Testing

/// Streamed answers over real sockets.
@Suite(.blocking) struct StreamSocketTests {
    private static func piece(_ number: Int, _ size: Int) -> [UInt8] {
        [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: size)
    }

    private static let request = "GET / HTTP/1.1\r\nHost: test\r\n\r\n"

    @Test func `a slow reader gets megabytes, of which few are kept for it`() async throws {
        let (count, size) = (320, 64 << 10)
        let written = Journal<Int>()
        try await serving(fetch: { request in
            if request.path == "/next" { return .response(.ok, "next") }
            return .stream { writer in
                for number in 0..<count {
                    try await writer.write(Self.piece(number, size))
                    written.note(number)
                }
            }
        }) { server in
            let client = try TCPClient(port: server.port, receiveBuffer: 64 << 10)
            try client.send(Self.request + Self.request.replacing("/ ", with: "/next "))
            pause(.milliseconds(300))
            // The server's queue and the kernel's buffers, which hold 4 MiB at the most.
            #expect(written.entries.count < 160)
            let body = try client.readAnswer().body
            #expect(body.count == count * size)
            let pieces = (0..<count).map { body[($0 * size)..<($0 * size + size)] }
            #expect(pieces.enumerated().allSatisfy { $0.element == Self.piece($0.offset, size)[...] })
            #expect(written.entries.count == count)
            #expect(try client.readAnswer().text == "next")
        }
    }

    private struct Oops: Error {}

    @Test(arguments: ["1.1", "1.0"])
    func `a body that throws is a reset, which nobody takes for the end`(_ version: String) async throws {
        let gate = Gate()
        try await serving(fetch: { _ in
            .stream { writer in
                try await writer.write("half")
                _ = await gate.wait()
                throw Oops()
            }
        }) { server in
            let client = try TCPClient(port: server.port)
            try client.send(Self.request.replacing("1.1", with: version))
            while try client.readLine() != "" {}
            #expect(try client.read(4) == Array((version == "1.1" ? "4\r\nh" : "half").utf8))
            gate.open()
            _ = try client.readToEnd()
            #expect(client.wasReset)
        }
    }

    @Test func `a client that resets ends the body`() async throws {
        let journal = Journal<String>()
        try await serving(fetch: { _ in
            .stream { writer in
                do {
                    while true { try await writer.write([UInt8](repeating: 1, count: 64 << 10)) }
                } catch {
                    journal.note("\(error is CancellationError) \(Task.isCancelled)")
                }
            }
        }) { server in
            let client = try TCPClient(port: server.port, receiveBuffer: 4_096)
            try client.send(Self.request)
            _ = try client.readLine()
            client.reset()
            #expect(journal.wait() == ["true true"])
        }
    }

    @Test func `a body may be written from any thread`() async throws {
        let lines = (0..<1_000).map { "line \($0)\n" }
        try await serving(fetch: { _ in
            .stream { writer in
                try await Task.detached { for line in lines { try await writer.write(line) } }.value
            }
        }) { server in
            let client = try TCPClient(port: server.port)
            for _ in 0..<3 { #expect(try client.get("/").text == lines.joined()) }
        }
    }
}
