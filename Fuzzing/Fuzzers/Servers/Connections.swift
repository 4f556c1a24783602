import FuzzSupport
import HTTPTypes
import Reactor
import SimulatedKernel
import WebSocketProtocol

@testable import Ringcast

/// Whole connections of a server over the simulated driver: an input is bytes, and when they come, and what else
/// happens to up to three connections.
enum Connections {
    static func run(_ input: inout FuzzInput) {
        let setting = ServerSetting(&input)
        let script = input.remainder()
        let whole = play(setting, script, inPieces: false)
        guard setting.isSteady else { return }
        let pieces = play(setting, script, inPieces: true)
        require(pieces == whole, "in pieces: \(pieces), and whole: \(whole)")
    }

    private static func play(_ setting: ServerSetting, _ script: [UInt8], inPieces: Bool) -> [[UInt8]] {
        let play = ServerPlay(setting, script, inPieces: inPieces)
        return play.run()
    }
}

/// What a server is like, and what may happen to it.
struct ServerSetting {
    /// Nothing but bytes comes, so that the answers are the same however these are split.
    var isSteady: Bool
    var deflate: PerMessageDeflate
    var maxPayloadLength: Int
    var backpressureLimit: Int
    var window: Int
    var seed: UInt64?

    init(_ input: inout FuzzInput) {
        isSteady = input.bool()
        deflate = input.element(of: [false, true, PerMessageDeflate(compress: .dedicated, decompress: .dedicated)])
        maxPayloadLength = input.element(of: [1000, 10, 100_000])
        backpressureLimit = input.element(of: [1 << 20, 200])
        window = input.element(of: [Int.max, 140, 700])
        let seed = input.byte()
        self.seed = seed == 0 ? nil : UInt64(seed)
        if isSteady { (window, self.seed, backpressureLimit) = (.max, nil, 1 << 20) }
    }
}

private final class ServerPlay {
    private let setting: ServerSetting
    private var script: FuzzInput
    private let inPieces: Bool
    private let notes = Notes()
    private let core: SocketCore
    private let simulation: SimulatedLoop
    private var peers: [SimulatedPeer] = []
    private var hasEnded: [Bool] = []
    /// Whether the server has to close connections whose peers do nothing; else these end when it stops.
    private let peersStay: Bool

    init(_ setting: ServerSetting, _ script: [UInt8], inPieces: Bool) {
        self.setting = setting
        self.script = FuzzInput(script)
        self.inPieces = inPieces
        peersStay = Pieces.hash(of: script) & 3 == 0
        let handlers = Self.handlers(setting, notes)
        let core = SocketCore.forFuzzing { configuration in configuration.limits.bodyBytes = 300 }
        let application = Application { request in
            if request.path == "/fail" { throw CancellationError() }
            let echo = request.body.withUnsafeBytes { Array($0) }
            return request.header(.upgrade) == nil ? .response(.ok, bytes: echo) : .upgrade(to: handlers)
        }
        self.core = core
        simulation = SimulatedLoop.forFuzzing(seed: setting.seed) {
            SocketLoop(core: core, loop: $0, application: application)
        }
        connect()
    }

    private static func handlers(_ setting: ServerSetting, _ notes: Notes) -> WebSocketHandlers<Void> {
        let options = WebSocketOptions(
            maxPayloadLength: setting.maxPayloadLength, backpressureLimit: setting.backpressureLimit,
            idleTimeout: .seconds(20), perMessageDeflate: setting.deflate)
        return WebSocketHandlers(
            options: options, open: { _ in notes.add("open") },
            message: { ws, message in
                let bytes = message.bytes
                switch bytes.first {
                case UInt8(ascii: "s"): ws.subscribe(to: "t")
                case UInt8(ascii: "u"): ws.unsubscribe(from: "t")
                case UInt8(ascii: "p"): ws.publish(bytes, to: "t", retain: bytes.count > 3)
                case UInt8(ascii: "c"): ws.close(4000, reason: "asked")
                case UInt8(ascii: "x"): ws.terminate()
                case UInt8(ascii: "!"): throw CancellationError()
                case UInt8(ascii: "m"): for _ in 0..<20 { ws.send(bytes) }
                default: ws.send(message)
                }
            },
            close: { ws, _, _ in
                notes.add("close")
                ws.publish("left", to: "t")
            })
    }

    /// Gives what came to each connection, without the time of day.
    func run() -> [[UInt8]] {
        while !script.isEmpty { step() }
        for peer in peers { peer.window = .max }
        simulation.rest()
        let received = peers.map { Self.withoutDate($0.receivedBytes) }
        // Patience with peers that stay takes many turns: one input of four is enough to see how it ends.
        if !peersStay { for peer in peers { peer.end() } }
        simulation.stopAtOnce()
        require(notes.count(of: "open") == notes.count(of: "close"), "opened and closed: \(notes.lines)")
        for peer in peers { require(peer.isClosed || peer.wasRefused, "a connection is left") }
        for bytes in received { AnswerReading.check(bytes) }
        return received
    }

    private func step() {
        let action = script.number(below: 12)
        let index = script.number(below: peers.count)
        switch action {
        case 0...1: deliver(script.take(script.number(below: 256)), to: index)
        case 2: deliver(upgradeRequest(), to: index)
        case 3...5: deliver(frame(), to: index)
        case 6: deliver(request(), to: index)
        case 7 where peers.count < 3: connect()
        default: if !setting.isSteady { disturb(action, index) }
        }
    }

    private func disturb(_ action: Int, _ index: Int) {
        let peer = peers[index]
        switch action {
        case 8: simulation.advance(milliseconds: script.element(of: [1, 300, 5_000, 30_000]))
        case 9: peer.makeRoom(16 * script.number(below: 256))
        case 10 where !hasEnded[index]:
            hasEnded[index] = true
            if script.bool() { peer.end() } else { peer.reset() }
        default: simulation.turn()
        }
    }

    private func connect() {
        let peer = simulation.connect()
        peer.window = setting.window
        peers.append(peer)
        hasEnded.append(false)
        simulation.rest()
    }

    private func deliver(_ bytes: [UInt8], to index: Int) {
        guard !hasEnded[index] else { return }
        for piece in inPieces ? Pieces.oneWay(of: bytes) : Pieces.whole(bytes) where !peers[index].isClosed {
            peers[index].send(piece)
            // Each piece is read in a turn of its own; what is answered to it may still be under way with the next.
            if setting.seed != nil { simulation.turn(2) } else if inPieces { simulation.turn() }
        }
        if setting.seed == nil { simulation.rest() }
    }

    private func upgradeRequest() -> [UInt8] {
        var text = "GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        text += "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        if script.bool() { text += "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n" }
        return Array((text + "\r\n").utf8)
    }

    private func request() -> [UInt8] {
        let line = script.element(of: ["GET / HTTP/1.1", "HEAD /fail HTTP/1.1", "POST / HTTP/1.1", "GET / HTTP/1.0"])
        let body = script.take(script.number(below: 32))
        let framing = body.isEmpty ? "" : "Content-Length: \(body.count)\r\n"
        return Array("\(line)\r\nHost: a\r\n\(framing)\r\n".utf8) + body
    }

    private func frame() -> [UInt8] {
        let first = script.byte()
        let payload = script.take(script.number(below: 126))
        return [first, 0x80 | UInt8(payload.count), 0, 0, 0, 0] + payload
    }

    private static func withoutDate(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        let name = Array("Date: ".utf8)
        for start in bytes.indices where bytes[start] == name[0] && bytes[start...].starts(with: name) {
            for offset in start + 6..<min(start + 35, bytes.count) { bytes[offset] = 0x78 }
        }
        return bytes
    }
}
