import CMalloc
import ReactorTesting
import Testing

@testable import Ringcast
@testable import WebSocketProtocol

/// Memory and work that a peer gets for few bytes of its own (CWE-770, CWE-789). Counted in what the allocator has
/// given, and in how often it was asked.
@Suite(.endingAll) struct MemoryVulnerabilities {
    /// What a frame decoder owns, as frames come.
    private final class Fed {
        private var decoder: FrameDecoder
        private let role: Role
        private let limits: DecoderLimits
        /// How often the message under way has got other memory.
        private(set) var moves = 0
        /// The most that it had.
        private(set) var mostBytes = 0
        private(set) var violation: ProtocolViolation?
        private(set) var messageLengths: [Int] = []
        private var address: UInt = 0

        init(_ role: Role, limit: Int) {
            self.role = role
            decoder = FrameDecoder(role: role)
            limits = DecoderLimits(maxPayloadLength: limit)
        }

        /// The beginning of a frame: a first byte and a length, with a key of zeros where there has to be one.
        func header(_ first: UInt8, length: [UInt8]) -> [UInt8] {
            let isMasked = role == .server
            return [first, length[0] | (isMasked ? 0x80 : 0)] + length.dropFirst() + (isMasked ? [0, 0, 0, 0] : [])
        }

        func feed(_ bytes: [UInt8]) {
            var bytes = bytes
            var span = bytes.mutableSpan
            // A byte has no padding that could be read uninitialized.
            var input = unsafe span.mutableBytes
            var position = 0
            while violation == nil, let event = decoder.next(in: &input, at: &position, limits: limits) {
                switch event {
                case .message(_, .inPlace(let range)): messageLengths.append(range.count)
                case .message(_, .assembled): messageLengths.append(decoder.assembled.byteCount)
                case .violation(let found): violation = found
                default: break
                }
            }
            measure()
        }

        private func measure() {
            let (now, count) = Self.memory(of: decoder)
            if now != address { moves += 1 }
            address = now
            mostBytes = max(mostBytes, count)
        }

        /// Where the message under way lies, and what the allocator has given for it.
        private static func memory(of decoder: borrowing FrameDecoder) -> (address: UInt, byteCount: Int) {
            // Safe: the address is not kept as a pointer, and the allocator is asked while the decoder owns the memory.
            unsafe decoder.assembly.bytes(from: 0).withUnsafeBytes { bytes in
                guard let base = bytes.baseAddress, bytes.count > 0 else { return (0, 0) }
                return unsafe (UInt(bitPattern: base), malloc_usable_size(UnsafeMutableRawPointer(mutating: base)))
            }
        }
    }

    /// What the allocator may give beyond what it is asked for.
    private static let slack = 64

    @Test(arguments: [Role.server, .client])
    func `CVE-2026-45416: a length that is declared is no memory, which grows with what has come`(role: Role) {
        let limit = 1 << 30
        let fed = Fed(role, limit: limit)
        fed.feed(fed.header(0x82, length: [127, 0, 0, 0, 0, 0x40, 0, 0, 0]))
        #expect(fed.mostBytes == 0 && fed.violation == nil, "a gigabyte is declared, and allowed")
        var sent = 0
        for count in [1, 10, 100, 1_000, 10_000] {
            fed.feed([UInt8](repeating: 0, count: count))
            sent += count
            #expect(fed.mostBytes <= max(256, 2 * sent) + Self.slack)
        }
    }

    @Test(arguments: [Role.server, .client])
    func `CVE-2026-48779, CVE-2026-12151, CVE-2026-65623: tiny fragments cost their bytes, and are moved seldom`(
        role: Role
    ) {
        let count = 50_000
        let fed = Fed(role, limit: count)
        fed.feed(fed.header(0x01, length: [0]))
        let fragment = fed.header(0x00, length: [1]) + [0x61]
        for number in 0..<count {
            // In one read, and in one read a byte: neither a frame nor a read is an object.
            if number.isMultiple(of: 2) { fed.feed(fragment) } else { for byte in fragment { fed.feed([byte]) } }
        }
        #expect(fed.violation == nil && fed.mostBytes <= 2 * count + Self.slack)
        #expect(fed.moves <= 20, "doubled from 256 bytes, so that each byte is copied once or twice")
        fed.feed(fed.header(0x80, length: [0]))
        #expect(fed.messageLengths == [count])
    }

    @Test(arguments: [Role.server, .client])
    func `CVE-2026-42786: a message that never ends is refused at its limit, over all its fragments`(role: Role) {
        let fed = Fed(role, limit: 10_000)
        fed.feed(fed.header(0x02, length: [100]) + [UInt8](repeating: 1, count: 100))
        var fragments = 1
        while fed.violation == nil, fragments < 1_000 {
            fed.feed(fed.header(0x00, length: [100]) + [UInt8](repeating: 1, count: 100))
            fragments += 1
        }
        #expect(fed.violation == .messageTooBig && fragments == 101)
        #expect(fed.mostBytes <= 20_000 + Self.slack && fed.messageLengths == [])
    }

    @Test(arguments: [Role.server, .client])
    func `CVE-2026-27889, CVE-2026-1528, CVE-2026-0716: no length of 64 bits overflows or allocates`(role: Role) {
        for isFirst in [true, false] {
            for (byte, violation) in [
                (0x80, ProtocolViolation.negativeLength), (0xFF, .negativeLength), (0x7F, .messageTooBig),
                (0x40, .messageTooBig),
            ] as [(UInt8, ProtocolViolation)] {
                for rest: UInt8 in [0, 0xF0, 0xFF] {
                    let fed = Fed(role, limit: .max - 1)
                    if !isFirst { fed.feed(fed.header(0x02, length: [3]) + [1, 2, 3]) }
                    let length = [127, byte] + [UInt8](repeating: 0xFF, count: 6) + [rest]
                    fed.feed(fed.header(isFirst ? 0x82 : 0x80, length: length) + [1, 2, 3])
                    // What fits under the limit is waited for; the sum with what has come is judged, too.
                    let mayFit = byte == 0x40 || byte == 0x7F && rest < 0xFF
                    if !mayFit || fed.violation != nil { #expect(fed.violation == violation) }
                    #expect(fed.mostBytes <= 256 + Self.slack)
                }
            }
        }
    }

    @Test func `CVE-2026-33219: what comes in front of the answer to a handshake stays in the peer's own kernel`() {
        let (asked, answer) = AsyncStream<Void>.makeStream()
        let handlers = WebSocketHandlers<Void>(message: { _, _ in })
        let server = SimulatedServer(fetch: { _ in
            .deferred {
                for await _ in asked {}
                return .upgrade(to: handlers)
            }
        })
        let peer = server.connect()
        let flood = [UInt8](repeating: 0x82, count: 4 << 20)
        peer.send(Array(SocketClient.request().utf8) + flood)
        server.rest()
        // What the kernel may put into a loop's small buffers before it hears of the bound, and the bound.
        let most = 512 * 4_096 + 64 << 10
        let statistics = server.simulation.loop.statistics
        #expect(statistics.bytesIn.value <= most && peer.unreadByteCount >= flood.count - most)
        let before = statistics.bytesIn.value
        peer.send(flood)
        server.advance(.seconds(1))
        #expect(statistics.bytesIn.value == before, "and nothing more until the answer")
        peer.reset()
        server.rest()
        answer.finish()
    }
}
