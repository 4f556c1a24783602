import Testing
import WebSocketProtocol

@Suite struct FrameDecoderTests {
    @Test func `the masked Hello of RFC 6455 5-7 is a text message`() {
        expect([UInt8](hex: "81 85 37FA213D 7F9F4D5158"), gives: [.text("Hello")])
    }

    @Test func `the unmasked Hello of RFC 6455 5-7 is a text message to a client`() {
        expect([UInt8](hex: "81 05 48656C6C6F"), gives: [.text("Hello")], Setting(role: .client))
    }

    @Test func `the fragmented Hello of RFC 6455 5-7 is one text message`() {
        expect([UInt8](hex: "01 03 48656C  80 02 6C6F"), gives: [.text("Hello")], Setting(role: .client))
    }

    @Test func `an empty frame is an empty message`() {
        expect(.text(""), gives: .text(""))
        expect(.binary([]), gives: .binary([]))
    }

    @Test(arguments: [1, 7, 125, 126, 127, 255, 1000])
    func `a payload of any length comes out unmasked`(count: Int) {
        let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        expect(.binary(payload), gives: .binary(payload))
    }

    @Test(arguments: [0xFFFF, 0x10000, 100_000])
    func `a payload with a long length comes out whole and in pieces`(count: Int) {
        let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let bytes = Frame.binary(payload).bytes
        #expect(decode([bytes]) == [.binary(payload)])
        for size in [1, 13, 4096, 16384, 65530] {
            let pieces = stride(from: 0, to: bytes.count, by: size).map {
                Array(bytes[$0..<min($0 + size, bytes.count)])
            }
            #expect(decode(pieces) == [.binary(payload)], "pieces of \(size)")
        }
    }

    @Test func `frames in one input come out in order`() {
        let bytes = Frame.text("one") + Frame.binary([2]) + Frame(first: 0x89, payload: [3]) + Frame.text("four")
        expect(bytes, gives: [.text("one"), .binary([2]), .ping([3]), .text("four")])
    }

    @Test func `a message in fragments is one message`() {
        let bytes =
            Frame(first: 0x02, payload: [1, 2]) + Frame(first: 0x00, payload: []) + Frame(first: 0x00, payload: [3])
            + Frame(first: 0x80, payload: [4, 5])
        expect(bytes, gives: [.binary([1, 2, 3, 4, 5])])
    }

    @Test func `a message in fragments may be empty`() {
        expect(Frame(first: 0x01, payload: []) + Frame(first: 0x80, payload: []), gives: [.text("")])
    }

    @Test func `control frames between fragments come first and leave the message whole`() {
        let bytes =
            Frame(first: 0x01, payload: [0x61]) + Frame(first: 0x89, payload: [1, 2, 3])
            + Frame(first: 0x00, payload: [0x62]) + Frame(first: 0x8A, payload: [])
            + Frame(first: 0x80, payload: [0x63])
        expect(bytes, gives: [.ping([1, 2, 3]), .pong([]), .text("abc")])
    }

    @Test func `a close frame between fragments leaves the message whole`() {
        let bytes =
            Frame(first: 0x02, payload: [1]) + Frame.close(1000, Array("bye".utf8)) + Frame(first: 0x80, payload: [2])
        expect(bytes, gives: [.close(1000, Array("bye".utf8)), .binary([1, 2])])
    }

    @Test func `a message follows another one in fragments`() {
        let bytes =
            Frame(first: 0x01, payload: [0x61]) + Frame(first: 0x80, payload: [0x62]) + Frame.text("c")
            + Frame(first: 0x02, payload: [1]) + Frame(first: 0x80, payload: [2])
        expect(bytes, gives: [.text("ab"), .text("c"), .binary([1, 2])])
    }

    @Test func `a compressed message keeps its mark over its fragments`() {
        let setting = Setting(allowsCompression: true)
        expect(Frame(first: 0xC1, payload: [0xFF]).bytes, gives: [.text([0xFF], compressed: true)], setting)
        let fragments = Frame(first: 0x42, payload: [1]) + Frame(first: 0x80, payload: [2]) + Frame.binary([3])
        expect(fragments, gives: [.binary([1, 2], compressed: true), .binary([3])], setting)
    }
}

@Suite struct FrameDecoderStateTests {
    @Test func `the decoder is small enough to be kept by every connection`() {
        let size = MemoryLayout<FrameDecoder>.size
        #expect(size <= 96)
    }

    @Test func `a frame that lies whole in the input stays where it is`() {
        var decoder = FrameDecoder(role: .server)
        var bytes = Frame.text("Hello").bytes
        var span = bytes.mutableSpan
        var input = span.raw
        var position = 0
        let event = decoder.next(in: &input, at: &position, limits: DecoderLimits())
        #expect(event == .message(MessageKind(opcode: .text), .inPlace(6..<11)))
        #expect(position == 11)
        let payload = copy(input.bytes.extracting(6..<11))
        #expect(payload == Array("Hello".utf8))
    }

    @Test(arguments: [200, 70_000])
    func `a long frame that lies whole in the input stays where it is`(count: Int) {
        var decoder = FrameDecoder(role: .server)
        var bytes = [0] + Frame.binary(Array(repeating: 1, count: count)).bytes
        var span = bytes.mutableSpan
        var input = span.raw
        var position = 1
        let event = decoder.next(in: &input, at: &position, limits: DecoderLimits())
        let end = input.byteCount
        #expect(event == .message(MessageKind(opcode: .binary), .inPlace(end - count..<end)))
        #expect(position == end)
    }

    @Test func `a decoder tells how much of a frame is still to come`() {
        var decoder = FrameDecoder(role: .server)
        let bytes = Frame.binary(Array(repeating: 1, count: 300)).bytes
        #expect(feed([], to: &decoder) == State(expectedByteCount: 0, isIdle: true))
        #expect(feed(bytes[..<4], to: &decoder) == State(expectedByteCount: 0, isIdle: false))
        #expect(feed(bytes[4..<108], to: &decoder) == State(expectedByteCount: 200, isIdle: false))
        #expect(feed(bytes[108...], to: &decoder) == State(expectedByteCount: 0, isIdle: true))
    }

    @Test func `a control frame in pieces does not count as expected bytes`() {
        var decoder = FrameDecoder(role: .server)
        let bytes = Frame(first: 0x89, payload: [1, 2, 3]).bytes
        #expect(feed(bytes.dropLast(), to: &decoder) == State(expectedByteCount: 0, isIdle: false))
    }

    @Test func `a decoder inside a fragmented message is not idle`() {
        var decoder = FrameDecoder(role: .server)
        let start = Frame(first: 0x01, payload: []).bytes
        let end = Frame(first: 0x80, payload: []).bytes
        #expect(feed(start[...], to: &decoder) == State(expectedByteCount: 0, isIdle: false))
        #expect(feed(end[...], to: &decoder) == State(expectedByteCount: 0, isIdle: true))
    }

    @Test func `after a violation every call gives it again and consumes nothing`() {
        var decoder = FrameDecoder(role: .server)
        var bytes = Frame(first: 0x83, payload: []) + Frame.text("later")
        var span = bytes.mutableSpan
        var input = span.raw
        var position = 0
        let first = decoder.next(in: &input, at: &position, limits: DecoderLimits())
        let stopped = position
        let second = decoder.next(in: &input, at: &position, limits: DecoderLimits())
        #expect(first == .violation(.reservedOpcode))
        #expect(second == first)
        #expect(position == stopped)
    }

    @Test func `assembled bytes are gone after they were released`() {
        var decoder = FrameDecoder(role: .server)
        let bytes = Frame.text("Hello").bytes
        _ = feed(bytes[..<8], to: &decoder)
        var rest = Array(bytes[8...])
        var span = rest.mutableSpan
        var input = span.raw
        var position = 0
        let event = decoder.next(in: &input, at: &position, limits: DecoderLimits())
        #expect(event == .message(MessageKind(opcode: .text), .assembled))
        let payload = copy(decoder.assembled)
        #expect(payload == Array("Hello".utf8))
        decoder.releaseAssembled()
        let released = copy(decoder.assembled)
        #expect(released == [])
    }

    private struct State: Equatable {
        var expectedByteCount: Int
        var isIdle: Bool
    }

    private func feed(_ bytes: ArraySlice<UInt8>, to decoder: inout FrameDecoder) -> State {
        var bytes = Array(bytes)
        var span = bytes.mutableSpan
        var input = span.raw
        var position = 0
        while decoder.next(in: &input, at: &position, limits: DecoderLimits()) != nil {}
        return State(expectedByteCount: decoder.expectedByteCount, isIdle: decoder.isIdle)
    }

    @Test func `the limit of a compressed message has the headroom of what does not shrink, and cannot overflow`() {
        let limits = DecoderLimits(maxPayloadLength: 1_024)
        let setting = Setting(allowsCompression: true, limits: limits)
        for (length, fits) in [(1_030, true), (limits.maxDeflatedLength, true), (limits.maxDeflatedLength + 1, false)] {
            let frame = Frame(first: 0xC2, payload: [UInt8](repeating: 1, count: length)).bytes
            let isMessage = decode([frame], setting) != [.violation(.messageTooBig)]
            #expect(isMessage == fits, "\(length)")
        }
        #expect(
            decode([Frame.binary([UInt8](repeating: 1, count: 1_025)).bytes], setting) == [.violation(.messageTooBig)])
        #expect(DecoderLimits(maxPayloadLength: .max).maxDeflatedLength == .max)
    }
}
