import Ringcast
import Testing
import WebSocketProtocol

/// permessage-deflate from the client's side (RFC 7692).
@Suite struct ClientCompressionTests {
    @Test(arguments: [
        PerMessageDeflate(compress: .shared, decompress: .shared), .init(compress: .dedicated, decompress: .dedicated),
        .init(compress: .kilobytes4, decompress: .disable),
    ])
    func `messages are compressed both ways`(_ compression: PerMessageDeflate) async throws {
        let text = String(repeating: "the same words again and again, ", count: 2_000)
        let received = Journal<Int>()
        let server = WebSocketHandlers<Void>(
            options: .init(perMessageDeflate: .init(compress: .dedicated, decompress: .dedicated)),
            message: { ws, message in ws.send(message) })
        let client = WebSocketHandlers<Int>(
            options: .init(perMessageDeflate: compression),
            open: { ws in ws.send(text) },
            message: { ws, message in
                received.note(message.string == text ? message.byteCount : -1)
                ws.data += 1
                if ws.data < 20 { ws.send(message) }
            })
        try await serving(server) { server in
            try withClients { group in
                group.connect(try ClientRequest(port: server.port), handlers: client, with: 0)
                #expect(received.wait(for: 20) == Array(repeating: text.utf8.count, count: 20))
                let statistics = group.statistics[0]
                #expect(statistics.bytesOut < text.utf8.count && statistics.bytesIn < 20 * text.utf8.count / 4)
            }
        }
    }

    @Test func `a server that compresses without being asked is refused`() throws {
        let server = ScriptedServer { try $0.upgrade(fields: ["Sec-WebSocket-Extensions: permessage-deflate"]) }
        try server.run {
            try withClients { group in
                let failure = try Outcome().failure(of: try ClientRequest(server.url), group)
                #expect(failure == .invalidHandshake("the server uses an extension that was not offered"))
            }
        }
    }

    /// RFC 7692 §7.1: what the client has to fail the connection on.
    @Test(arguments: [
        "permessage-deflate", "permessage-deflate; server_no_context_takeover; client_max_window_bits",
        "permessage-deflate; server_no_context_takeover; client_max_window_bits=16",
        "permessage-deflate; server_no_context_takeover; server_max_window_bits=7",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; server_no_context_takeover; unknown",
    ])
    func `parameters that do not fit the offer are refused`(_ answer: String) throws {
        try expectRefusal(["Sec-WebSocket-Extensions: \(answer)"], Self.misfit)
    }

    @Test func `the extension comes once`() throws {
        let field = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover"
        let what = "the server uses an extension that was not offered"
        try expectRefusal([field, field], what)
        try expectRefusal([field + ", x-other"], what)
    }

    private static let misfit = "the server's parameters of permessage-deflate do not fit the offer"

    private func expectRefusal(_ fields: [String], _ what: String) throws {
        let server = ScriptedServer { try $0.upgrade(fields: fields) }
        try server.run {
            try withClients { group in
                let failures = Journal<WebSocketClientError>()
                let handlers = WebSocketHandlers<Void>(options: .init(perMessageDeflate: true), close: { _, _, _ in })
                group.connect(try ClientRequest(server.url), handlers: handlers, with: ()) { failures.note($0) }
                #expect(failures.wait() == [.invalidHandshake(what)])
            }
        }
    }

    @Test func `the offer says what the options say`() throws {
        let heads = Journal<String>()
        let server = ScriptedServer { peer in
            heads.note(try peer.upgrade())
            try peer.readToEnd()
        }
        try server.run {
            try withClients { group in
                let handlers = WebSocketHandlers<Void>(options: .init(perMessageDeflate: true), close: { _, _, _ in })
                group.connect(try ClientRequest(server.url), handlers: handlers, with: ())
                let offer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
                #expect(heads.wait()[0].contains("Sec-WebSocket-Extensions: \(offer)client_max_window_bits\r\n"))
            }
        }
    }
}
