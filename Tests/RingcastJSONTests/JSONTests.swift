import Foundation
import Ringcast
import RingcastJSON
import RingcastTesting
import Synchronization
import Testing

struct Move: Codable, Equatable {
    var x: Int
    var y: Int
    var note: String?
}

private struct Player: Codable { let firstName: String }

@Suite struct JSONTests {
    private func moves(_ client: TestClient) throws -> [Move] { try client.received.map { try $0.decode(Move.self) } }

    @Test func `a value goes through sockets, references, topics and the server as text`() throws {
        let handlers = WebSocketHandlers<Void>(
            open: { ws in ws.subscribe(to: "board") },
            message: { ws, message in
                var move: Move = try message.decode()
                move.x += 1
                try ws.send(json: move)
                try ws.reference.send(json: move, compress: false)
                move.note = "\"ö\" / published"
                try ws.publish(json: move, to: "board")
                try ws.reference.publish(json: move, to: "board")
                try ws.server.publish(json: [move], to: "board")
            })
        let app = try TestServer(loops: 2) { _ in .upgrade(to: handlers) }
        let (ann, bob) = (try app.connect(), try app.connect())
        ann.send(#"{"x": 1, "y": 2}"#)
        #expect(ann.received.allSatisfy { $0.isText })
        let published = Move(x: 2, y: 2, note: "\"ö\" / published")
        #expect(
            try ann.received.prefix(2).map { try $0.decode(Move.self) } == Array(repeating: Move(x: 2, y: 2), count: 2))
        #expect(try ann.received.last?.decode([Move].self) == [published])
        #expect(try bob.received.prefix(2).map { try $0.decode(Move.self) } == [published, published])
        #expect(try bob.takeReceived().last?.decode([Move].self) == [published])
        ann.send(Array(#"{"x":5,"y":6}"#.utf8))
        #expect(try ann.received[3].decode() == Move(x: 6, y: 6), "binary is JSON too")
        #expect(ann.isOpen)
    }

    @Test(arguments: ["", "{", "[]", #"{"x":1}"#, #"{"x":"1","y":2}"#, "\u{0}"])
    func `what cannot be decoded is a DecodingError, and closes with 1011 where it is not caught`(text: String) throws {
        let journal = Mutex<[String]>([])
        let strict = WebSocketHandlers<Void>(
            message: { _, message in _ = try message.decode(Move.self) },
            error: { _, error in journal.withLock { $0.append("\(type(of: error))") } })
        let lenient = WebSocketHandlers<Void>(message: { ws, message in
            guard let move = try? message.decode(Move.self) else { return ws.close(.invalidPayload) }
            try ws.send(json: move)
        })
        let app = try TestServer { .upgrade(to: $0.path == "/strict" ? strict : lenient) }
        let client = try app.connect("/strict")
        client.send(text)
        #expect(client.closeCode == .internalError && journal.withLock(\.self) == ["DecodingError"])
        let caught = try app.connect("/lenient")
        caught.send(text)
        #expect(caught.closeCode == .invalidPayload)
        #expect(throws: DecodingError.self) { try OwnedMessage.text(text).decode(Move.self) }
    }

    @Test func `a value that has no JSON is not sent, and a reply with one is 500`() throws {
        let handlers = WebSocketHandlers<Void>(
            message: { ws, message in
                #expect(throws: EncodingError.self) { try ws.send(json: Double.nan) }
                #expect(throws: EncodingError.self) { try ws.publish(json: Double.nan, to: "board") }
                ws.send("behind")
            })
        var configuration = ServerConfiguration()
        configuration.logger.logLevel = .critical
        let app = try TestServer(configuration: configuration) { request in
            request.isWebSocketUpgrade ? .upgrade(to: handlers) : .json(Double.nan)
        }
        let client = try app.connect()
        client.send("go")
        #expect(client.received.map(\.string) == ["behind"])
        #expect(try app.request().status == .internalServerError)
        #expect(throws: EncodingError.self) { try app.server.publish(json: Double.infinity, to: "board") }
    }

    @Test func `bodies of requests and replies are JSON`() throws {
        let app = try TestServer { request in
            guard let move = try? request.json(Move.self) else { return .response(.badRequest) }
            return .json(
                [move], status: .created,
                headers: request.path == "/custom" ? [.contentType: "application/vnd.move+json"] : [:])
        }
        let response = try app.request(.post, "/moves", body: #"{"y":2,"x":1,"note":null}"#)
        #expect(response.status == .created && response.headers[.contentType] == "application/json")
        #expect(try JSONDecoder().decode([Move].self, from: Data(response.body)) == [Move(x: 1, y: 2)])
        let custom = try app.request(.post, "/custom", body: #"{"y":2,"x":1}"#)
        #expect(custom.headers[.contentType] == "application/vnd.move+json")
        #expect(try app.request(.post, "/moves", body: "x=1").status == .badRequest)
        #expect(try app.request(.get, "/moves").status == .badRequest)
    }

    /// Not JSON at all, so that it cannot be taken for another coding.
    private struct Shouting: JSONCoding {
        func encode(_ value: some Encodable) throws -> [UInt8] { Array("\(value)!".utf8) }
        func decode<Value: Decodable>(_ type: Value.Type, from bytes: RawSpan) throws -> Value {
            try FoundationJSON().decode(type, from: bytes)
        }
    }

    @Test func `the coding can be chosen: another library's, or Foundation's set up otherwise`() throws {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        let snakes = FoundationJSON(encoder: encoder)
        let handlers = WebSocketHandlers<Void>(
            message: { ws, message in
                try ws.send(json: message.decode(Int.self, with: Shouting()), with: Shouting())
                try ws.send(json: Player(firstName: "Ann"), with: snakes)
            })
        let app = try TestServer { request in
            request.isWebSocketUpgrade ? .upgrade(to: handlers) : .json(7, with: Shouting())
        }
        let client = try app.connect()
        client.send("5")
        #expect(client.received.map(\.string) == ["5!", #"{"first_name":"Ann"}"#])
        #expect(try app.request().string == "7!")
    }
}
