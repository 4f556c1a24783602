import FuzzSupport
import Reactor
import SimulatedKernel
import WebSocketProtocol

@testable import Ringcast

/// What a proxy and a server answer to a client over simulated connections: of any bytes, in any pieces.
enum ClientAnswers {
    /// How an attempt is made.
    struct Setting {
        var hasProxy: Bool
        var isRedirected: Bool
        var deflates: Bool
    }

    static func run(_ input: inout FuzzInput) {
        let setting = Setting(hasProxy: input.bool(), isRedirected: input.bool(), deflates: input.bool())
        // No head and no UTF-8 holds this byte.
        let (first, second) = (input.take(until: 0xFE), input.remainder())
        let (firstPieces, secondPieces) = (Pieces.oneWay(of: first), Pieces.oneWay(of: second))
        // What lies behind a tunnel's beginning is judged by when it comes: in pieces only the laws of `end` hold.
        if setting.hasProxy, Pieces.hash(of: second) & 1 == 0 {
            _ = play(setting, firstPieces, secondPieces)
            return
        }
        let whole = play(setting, .whole(first), .whole(second))
        guard !setting.hasProxy else { return }
        let divided = play(setting, firstPieces, secondPieces)
        require(divided == whole, "\(firstPieces), \(secondPieces): \(divided), and whole: \(whole)")
    }

    /// Gives what the client's author hears, in order.
    private static func play(_ setting: Setting, _ first: Pieces, _ second: Pieces) -> [String] {
        let client = SimulatedClient(setting)
        for answers in [first, second] {
            guard let peer = client.newestPeer else { break }
            for piece in answers { client.answer(piece, on: peer) }
            client.rest()
        }
        return client.end()
    }
}

/// A client's loop with one attempt on it.
private final class SimulatedClient {
    private let simulation: SimulatedLoop
    private let core: SocketCore
    private let loop: SocketLoop
    private let notes = Notes()
    /// The right answer to the key that every attempt has here.
    private static let accept = Array(
        Handshake.acceptValue(forKey: Base64.encode([UInt8](repeating: 7, count: 16))).utf8)
    private static let accepting =
        Array("HTTP/1.1 101 A\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ".utf8) + accept
        + Array("\r\n\r\n".utf8)
    /// So long that two of them are more than is kept of a body.
    private static let filling = [UInt8](repeating: UInt8(ascii: "a"), count: 0x300)

    init(_ setting: ClientAnswers.Setting) {
        let core = SocketCore.forFuzzing()
        self.core = core
        var made: SocketLoop?
        simulation = SimulatedLoop.forFuzzing { eventLoop in
            let loop = SocketLoop(core: core, loop: eventLoop)
            made = loop
            return loop
        }
        loop = made!
        begin(setting)
    }

    private func begin(_ setting: ClientAnswers.Setting) {
        let options = WebSocketOptions(
            maxPayloadLength: 1000, perMessageDeflate: PerMessageDeflate(booleanLiteral: setting.deflates))
        let handlers = WebSocketHandlers<Void>(
            options: options,
            open: { [notes] ws in notes.add("open \(ws.subprotocol ?? "-")") },
            message: { [notes] ws, message in
                notes.add("message \(message.bytes)")
                ws.send(message)
            },
            close: { [notes] _, code, reason in notes.add("close \(code.rawValue) \(reason)") })
        guard var request = try? ClientRequest("ws://127.0.0.1/a/b") else { fatalError("no URL") }
        request.subprotocols = ["chat"]
        request.handshakeTimeout = .milliseconds(500)
        if setting.hasProxy { request.proxy = HTTPProxy(hostname: "127.0.0.2", port: 3128) }
        if setting.isRedirected { request.maxRedirects = 1 }
        let upgrade = Upgrade(to: handlers, with: (), headers: [:], subprotocol: nil)
        simulation.ask { [loop, notes] _ in
            loop.connect(1, request, upgrade, tls: nil) { error in
                if let answer = error.answer { require(answer.body.count <= 1024, "too much is kept") }
                notes.add("failed: \(error)")
            }
        }
        simulation.rest()
    }

    /// The last connection that the client has made, accepted now if it was not.
    var newestPeer: SimulatedPeer? {
        guard let peer = simulation.driver.outboundPeers.last else { return nil }
        if peer.connectResult == nil {
            // The same key each time, so that the answer to it is the same.
            if let attempt = loop.attempts[1] {
                attempt.handshake = ClientHandshake(
                    nonce: [UInt8](repeating: 7, count: 16), subprotocols: attempt.handshake.subprotocols,
                    perMessageDeflate: attempt.handshake.perMessageDeflate)
            }
            peer.connectResult = 0
            simulation.rest()
        }
        return peer
    }

    /// Bytes, read in a turn of their own. Three of them stand for more: 1 for the right answer to the client's key;
    /// 0xFD, which is in no head and no UTF-8 either, for a whole head that accepts; and 0xFC for a length of text.
    func answer(_ bytes: [UInt8], on peer: SimulatedPeer) {
        var answer: [UInt8] = []
        for byte in bytes {
            switch byte {
            case 1: answer += Self.accept
            case 0xFD: answer += Self.accepting
            case 0xFC: answer += Self.filling
            default: answer.append(byte)
            }
        }
        peer.send(answer)
        simulation.turn()
    }

    /// Everything is handled that has come.
    func rest() { simulation.rest() }

    /// All peers end, and so does the client: everything comes to one end.
    func end() -> [String] {
        for peer in simulation.driver.outboundPeers { peer.end() }
        simulation.rest()
        simulation.advance(milliseconds: 6_000)
        let (opened, failed) = (notes.count(of: "open"), notes.count(of: "failed"))
        require(opened + failed == 1, "opened and failed: \(notes.lines)")
        require(notes.count(of: "close") == opened, "opened and closed: \(notes.lines)")
        require(loop.attempts.isEmpty, "an attempt goes on")
        require(simulation.driver.openCount == 0 && simulation.driver.loanCount == 0, "connections or buffers are left")
        simulation.stopAtOnce()
        return notes.lines
    }
}
