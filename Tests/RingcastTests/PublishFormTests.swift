import ReactorTesting
import Testing

@testable import Ringcast

/// Every form in which something is sent or published comes as the kind it is: text, bytes, spans and messages, topics
/// by their names and as `Topic`s, by sockets, references and servers.
@Suite(.endingAll) struct PublishFormTests {
    enum Publisher: CaseIterable { case socket, reference, server, serverForOthers }

    private static let name = String("t")
    private static let topic = Topic("t")
    private static let bytes: [UInt8] = Array("b".utf8)

    /// What a member of the topic hears when somebody else has said "m".
    private static func heard(_ publish: @escaping @Sendable (WebSocket<Void>, borrowing Message) -> Void) -> [String] {
        let handlers = WebSocketHandlers<Void>(message: { ws, message in
            if message.string == "join" { ws.subscribe(to: name) } else { publish(ws, message) }
        })
        let server = SimulatedServer(handlers)
        let (member, publisher) = (server.open(), server.open())
        member.send("join")
        publisher.send("m")
        return member.frames().map(\.description)
    }

    @Test(arguments: Publisher.allCases)
    func `a topic's name does wherever a topic does`(_ publisher: Publisher) {
        let heard = Self.heard { ws, message in
            let (name, bytes) = (Self.name, Self.bytes)
            let (reference, server) = (ws.reference, ws.server)
            switch publisher {
            case .socket:
                ws.publish("a", to: name)
                ws.publish(bytes, to: name)
                unsafe ws.publish(bytes.span.bytes, to: name)
                ws.publish(message, to: name)
                ws.publish(OwnedMessage.text("d"), to: name)
                ws.publish(OwnedMessage.binary(bytes), to: name)
            case .reference:
                reference.publish("a", to: name)
                reference.publish(bytes, to: name)
                unsafe reference.publish(bytes.span.bytes, to: name)
                reference.publish(message, to: name)
                reference.publish(OwnedMessage.text("d"), to: name)
                reference.publish(OwnedMessage.binary(bytes), to: name)
            case .server:
                server.publish("a", to: name)
                server.publish(bytes, to: name)
                unsafe server.publish(bytes.span.bytes, to: name)
                server.publish(message, to: name)
                server.publish(OwnedMessage.text("d"), to: name)
                server.publish(OwnedMessage.binary(bytes), to: name)
            case .serverForOthers:
                server.publish("a", to: name, except: reference)
                server.publish(bytes, to: name, except: reference)
                unsafe server.publish(bytes.span.bytes, to: name, except: reference)
                server.publish(message, to: name, except: reference)
                server.publish(OwnedMessage.text("d"), to: name, except: reference)
                server.publish(OwnedMessage.binary(bytes), to: name, except: reference)
            }
        }
        #expect(heard == ["text a", "binary b", "binary b", "text m", "text d", "binary b"])
    }

    @Test func `spans, strings and bytes come as the kind that their form says`() {
        let heard = Self.heard { ws, message in
            let (topic, bytes) = (Self.topic, Self.bytes)
            ws.publish(bytes.span, to: topic)
            unsafe ws.publish(bytes.span.bytes, to: topic)
            ws.publishText("text", to: topic)
            unsafe ws.publishText(bytes.span.bytes, to: topic)
            unsafe ws.publishBinary(bytes.span.bytes, to: topic)
            ws.publishBinary(bytes, to: topic)
            ws.reference.publishText("text", to: topic)
            unsafe ws.reference.publishText(bytes.span.bytes, to: topic)
            unsafe ws.reference.publishBinary(bytes.span.bytes, to: topic)
            ws.reference.publishBinary(bytes, to: topic)
            unsafe ws.server.publish(bytes.span.bytes, to: topic)
        }
        let binary = "binary b"
        let expected = [binary, binary, "text text", "text b", binary, binary, "text text", "text b", binary, binary]
        #expect(heard == expected + [binary])
    }

    @Test func `what is sent to one socket, too`() {
        let handlers = WebSocketHandlers<Void>(message: { ws, _ in
            let bytes = Self.bytes
            ws.send(bytes.span)
            unsafe ws.send(bytes.span.bytes)
            ws.sendText("text")
            ws.reference.send(bytes.span)
            unsafe ws.reference.send(bytes.span.bytes)
            ws.reference.sendText("text")
        })
        let server = SimulatedServer(handlers)
        let socket = server.open()
        socket.send("m")
        let expected = ["binary b", "binary b", "text text"]
        #expect(socket.frames().map(\.description) == expected + expected)
    }

    @Test func `who publishes by a name hears nothing of it, and who joins by one is there once`() {
        let counts = Journal<Int>()
        let handlers = WebSocketHandlers<Void>(message: { ws, _ in
            let name = Self.name
            ws.subscribe(to: name, after: nil)
            ws.subscribe(to: name, as: "ann")
            counts.note(ws.server.subscriberCount(of: name))
            ws.publish("own", to: name)
            ws.server.publish("for others", to: name, except: ws.reference)
        })
        let server = SimulatedServer(handlers)
        let socket = server.open()
        socket.send("m")
        #expect(counts.entries == [1] && socket.frames() == [])
    }
}
