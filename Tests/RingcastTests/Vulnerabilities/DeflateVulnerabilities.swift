import ReactorTesting
import Testing
import WebSocketProtocol

@testable import Ringcast

/// What compressed messages become, and what a failed one leaves behind (CWE-409). Single bombs: `DeflateAttacks`.
@Suite(.endingAll) struct DeflateVulnerabilities {
    private static let limit = 64 << 10

    private static func options(_ context: PerMessageDeflate.Context) -> WebSocketOptions {
        .init(maxPayloadLength: limit, perMessageDeflate: .init(compress: context, decompress: context))
    }

    /// One end's compressor.
    private final class Sender {
        private var deflater: Deflater
        init(keepsContext: Bool) { deflater = Deflater(windowBits: 15, keepsContext: keepsContext) }

        func frame(zeros count: Int) -> [UInt8] {
            let message = [UInt8](repeating: 0, count: count)
            var buffer = MessageBuffer()
            deflater.deflate(unsafe message.span.bytes, into: &buffer)
            let bytes = unsafe buffer.bytes.withUnsafeBytes { unsafe [UInt8]($0) }
            return SocketClient.encode(.binary, bytes, isCompressed: true)
        }
    }

    /// With a window kept, a bomb costs its sender a few bytes a message.
    @Test
    func `CVE-2026-54464, CVE-2026-27571, CVE-2026-1526: bombs with a context are bounded each, and leave nothing`() {
        let (lengths, kept) = (Journal<Int>(), Journal<Int>())
        let handlers = WebSocketHandlers<Void>(
            options: .init(maxPayloadLength: 4 << 20, perMessageDeflate: SocketClient.dedicated),
            message: { ws, message in
                lengths.note(message.byteCount)
                // Lent while the handler of an inflated message runs; between messages it is what is kept.
                if message.byteCount < 10 { kept.note(ws.session.loop.compression.input.capacity) }
            })
        let server = SimulatedServer(handlers)
        let peer = server.connect()
        peer.send(Array(SocketClient.request(fields: SocketClient.offer()).utf8))
        server.rest()
        let socket = SimulatedSocket(peer, of: server)
        socket.skipHandshake()
        let sender = Sender(keepsContext: true)
        for _ in 0..<20 {
            let frame = sender.frame(zeros: 4 << 20)
            #expect(frame.count < 8 << 10, "a thousandth")
            peer.send(frame)
            socket.send("small")
        }
        #expect(lengths.entries == (0..<20).flatMap { _ in [4 << 20, 5] })
        #expect(kept.entries.allSatisfy { $0 <= LoopCompression.keptByteCount })
        peer.send(sender.frame(zeros: 4 << 20 + 1))
        server.rest()
        #expect(socket.frames().map(\.closeCode) == [1009] && lengths.entries.count == 40)
    }

    /// What follows a message that broke a rule is not inflated, whatever state the decompressor was left in; and who
    /// shares it gets what was sent.
    @Test(arguments: [PerMessageDeflate.Context.shared, .dedicated], [true, false])
    func `CWE-755: behind a message over its limit, or not deflated, nothing is inflated, and others are served`(
        context: PerMessageDeflate.Context, isBomb: Bool
    ) {
        let attacked = AttackedServer(options: Self.options(context))
        let offer = SocketClient.offer()
        let (bystander, attacker) = (attacked.open(fields: offer), attacked.open(fields: offer))
        let (own, foreign) = (Sender(keepsContext: context == .dedicated), Sender(keepsContext: true))
        let bomb = foreign.frame(zeros: 10 << 20)
        let broken = SocketClient.encode(.binary, [0xFF, 0xFF], isCompressed: true)
        let behind = broken + bomb + SocketClient.encode(.text, [0x61]) + SocketClient.encode(.ping, [])
        bystander.peer.send(own.frame(zeros: 1_000))
        attacker.peer.send((isBomb ? bomb : broken) + behind + behind)
        bystander.peer.send(own.frame(zeros: 2_000))
        attacked.server.rest()
        bystander.peer.send(own.frame(zeros: 3_000))
        attacked.server.rest()
        #expect(attacker.frames().map(\.closeCode) == [isBomb ? 1009 : 1007])
        #expect(bystander.frames().map(\.text) == ["1000", "2000", "3000"])
        #expect(attacked.messages.entries == [1_000, 2_000, 3_000])
        attacked.expectGoesOn()
    }

    @Test(arguments: ["0", "7", "16", "31", "-15", "255", "4294967311", "99999999999999999999", "0x0f", "15.0", "08"])
    func `CVE-2026-2229: a client takes no window that zlib would not`(bits: String) {
        for name in ["server_max_window_bits", "client_max_window_bits"] {
            for value in [bits, "\"\(bits)\""] {
                #expect(throws: NegotiationFailure.self) {
                    try SocketClient.dedicated.confirm(answer: "permessage-deflate; \(name)=\(value)")
                }
            }
        }
    }

    @Test func `CVE-2026-59881: without the extension no frame is compressed, in either direction`() {
        let frame: [UInt8] = [0xC2, 0x03, 0x4A, 0x04, 0x00]
        for (role, bytes) in [(Role.client, frame), (.server, [0xC2, 0x83, 0, 0, 0, 0, 0x4A, 0x04, 0x00])] {
            var bytes = bytes
            var decoder = FrameDecoder(role: role)
            var position = 0
            var span = bytes.mutableSpan
            // A byte has no padding that could be read uninitialized.
            var input = unsafe span.mutableBytes
            let event = decoder.next(in: &input, at: &position, limits: .init())
            #expect(event == .violation(.reservedBits))
        }
    }
}
