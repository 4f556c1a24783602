import ReactorTesting
import Testing

@testable import Ringcast

/// A simulated server under attack: what its handlers saw, and that it goes on.
struct AttackedServer {
    /// A request that no handler may ever see.
    static let hidden = "GET /hidden HTTP/1.1\r\nHost: t\r\n\r\n"

    let server: SimulatedServer
    /// The paths that `fetch` saw, and an `open` for each socket.
    let paths = Journal<String>()
    /// Bytes of each message of a socket.
    let messages = Journal<Int>()

    init(options: WebSocketOptions = .init(), _ change: (inout ServerConfiguration) -> Void = { _ in }) {
        let (paths, messages) = (paths, messages)
        let handlers = WebSocketHandlers<Void>(
            options: options, open: { _ in paths.note("open") },
            message: { ws, message in
                messages.note(message.byteCount)
                ws.send("\(message.byteCount)")
            })
        server = SimulatedServer(
            change,
            fetch: { request in
                paths.note(request.path)
                return request.isWebSocketUpgrade ? .upgrade(to: handlers) : .response(.ok, request.string)
            })
    }

    /// Sends bytes on a new connection, and gives it with what was answered.
    @discardableResult
    func attack(_ wire: String) -> (peer: SimulatedPeer, answer: String) {
        let peer = server.connect()
        peer.send(Array(wire.utf8))
        server.rest()
        return (peer, String(decoding: peer.receivedBytes, as: UTF8.self))
    }

    /// That the bytes get one answer, a refusal, that nothing behind it is read, and that others are served.
    func expectRefused(_ wire: String, with status: Int, sourceLocation: SourceLocation = #_sourceLocation) {
        let (peer, answer) = attack(wire)
        #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)", sourceLocation: sourceLocation)
        #expect(Self.countAnswers(answer) == 1, "\(answer)", sourceLocation: sourceLocation)
        #expect(peer.hasSeenEnd, sourceLocation: sourceLocation)
        #expect(paths.entries == [], sourceLocation: sourceLocation)
        expectGoesOn(sourceLocation: sourceLocation)
    }

    /// How many answers there are, each of which has a date.
    static func countAnswers(_ text: String) -> Int { text.split(separator: "\r\nDate: ").count - 1 }

    /// That a request and a socket are served.
    func expectGoesOn(sourceLocation: SourceLocation = #_sourceLocation) {
        let answer = attack("GET /next HTTP/1.1\r\nHost: t\r\n\r\n").answer
        #expect(answer.hasPrefix("HTTP/1.1 200 "), "\(answer)", sourceLocation: sourceLocation)
        let socket = server.open()
        socket.send("still there")
        #expect(socket.frames().map(\.text) == ["11"], sourceLocation: sourceLocation)
    }

    /// A socket whose handshake has further fields.
    func open(fields: [String]) -> SimulatedSocket {
        let peer = server.connect()
        peer.send(Array(SocketClient.request(fields: fields).utf8))
        server.rest()
        let socket = SimulatedSocket(peer, of: server)
        socket.skipHandshake()
        return socket
    }
}
