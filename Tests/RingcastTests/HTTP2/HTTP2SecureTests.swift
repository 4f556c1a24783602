import HTTP2Testing
import ReactorTesting
import Testing

@testable import Ringcast

/// HTTP/2 over TLS, chosen by ALPN, and on a plain port, over real sockets.
@Suite(.blocking) struct HTTP2SecureTests {
    private let authority = TestAuthority()

    private func serve(
        http2: HTTP2Options? = HTTP2Options(), isSecure: Bool = true, body: @Sendable (Server) throws -> Void
    ) async throws {
        let tls = TLSConfiguration(certificates: [authority.issue("localhost")])
        try await serving {
            $0.http2 = http2
            if isSecure { $0.tls = tls }
        } fetch: { request in
            .response(.ok, "\(request.isSecure) \(request.tls?.applicationProtocol ?? "none") \(request.path)")
        } body: { server in
            try body(server)
        }
    }

    /// The body of the answer to a stream's request, behind all that comes before.
    private static func answer(on stream: UInt32, _ read: (Int) throws -> [UInt8]) throws -> String {
        var body: [UInt8] = []
        while true {
            let header = try read(9)
            let length = header.prefix(3).reduce(0) { $0 << 8 | Int($1) }
            let payload = try read(length)
            guard header[8] == UInt8(stream), header[3] == Frames.Kind.data.rawValue else { continue }
            body += payload
            if header[4] & 1 != 0 { return String(decoding: body, as: UTF8.self) }
        }
    }

    @Test func `a client that offers it by ALPN gets it, before HTTP 1`() async throws {
        try await serve { server in
            let client = try SecureClient(port: server.port, protocols: ["http/1.1", "h2"])
            try client.send(Frames.hello + Frames.request(1) + Frames.request(3))
            #expect(try Self.answer(on: 1) { try client.read($0) } == "true h2 /x")
            #expect(try Self.answer(on: 3) { try client.read($0) } == "true h2 /x")
        }
    }

    @Test(arguments: [[], ["http/1.1"]])
    func `who does not offer it gets HTTP 1, and its preface is no way around that`(protocols: [String]) async throws {
        try await serve { server in
            let client = try SecureClient(port: server.port, protocols: protocols)
            try client.send("GET /y HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try client.readAnswer().text == "true \(protocols.first ?? "none") /y")
            let other = try SecureClient(port: server.port, protocols: protocols)
            try other.send(Frames.hello)
            #expect(try other.readAnswer().status == 400)
        }
    }

    @Test func `a server without it does not offer it`() async throws {
        try await serve(http2: nil) { server in
            let client = try SecureClient(port: server.port, protocols: ["h2", "http/1.1"])
            try client.send("GET /y HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try client.readAnswer().text == "true http/1.1 /y")
        }
    }

    @Test func `certificates that are read again go on offering it`() async throws {
        try await serve { server in
            try server.reloadCertificates()
            let client = try SecureClient(port: server.port, protocols: ["h2"])
            try client.send(Frames.hello + Frames.request(1))
            #expect(try Self.answer(on: 1) { try client.read($0) } == "true h2 /x")
        }
    }

    @Test func `a plain port tells both by their first bytes`() async throws {
        try await serve(isSecure: false) { server in
            let client = try TCPClient(port: server.port)
            try client.send(Frames.hello + Frames.request(1))
            #expect(try Self.answer(on: 1) { try client.read($0) } == "false none /x")
            let old = try TCPClient(port: server.port)
            try old.send("GET /y HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try old.readAnswer().text == "false none /y")
        }
    }

    @Test(arguments: [
        (HTTP2Options(streams: 0), "streams"), (HTTP2Options(streamWindow: 1_000), "streamWindow"),
        (HTTP2Options(resets: 0), "resets"), (HTTP2Options(controlFrames: -1), "controlFrames"),
    ])
    func `options that make no sense are told`(options: HTTP2Options, name: String) {
        let error = #expect(throws: ServerError.self) {
            try Server(configuration: ServerConfiguration(port: 0, http2: options)) { _ in .response(.ok) }
        }
        #expect(error?.description.contains("http2.\(name)") == true)
    }
}
