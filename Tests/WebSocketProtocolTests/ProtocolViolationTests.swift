import Testing
import WebSocketProtocol

@Suite struct ProtocolViolationTests {
    @Test(arguments: [0x91, 0xA1, 0xB1, 0xF1, 0x92, 0x99, 0xA8, 0x90] as [UInt8])
    func `a reserved bit fails with 1002`(first: UInt8) {
        expect(Frame(first: first, payload: []), gives: .violation(.reservedBits))
        #expect(ProtocolViolation.reservedBits.closeCode == .protocolError)
    }

    @Test func `the compression bit fails where compression was not negotiated`() {
        expect(Frame(first: 0xC1, payload: []), gives: .violation(.reservedBits))
        expect(Frame(first: 0x42, payload: []), gives: .violation(.reservedBits))
    }

    @Test func `the compression bit fails on control frames and continuations`() {
        let setting = Setting(allowsCompression: true)
        expect(Frame(first: 0xC9, payload: []), gives: .violation(.reservedBits), setting)
        expect(Frame(first: 0xC8, payload: []), gives: .violation(.reservedBits), setting)
        let continued = Frame(first: 0x41, payload: [1]) + Frame(first: 0xC0, payload: [2])
        expect(continued, gives: [.violation(.reservedBits)], setting)
    }

    @Test(arguments: [0x83, 0x84, 0x85, 0x86, 0x87, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0x03, 0x0B] as [UInt8])
    func `a reserved opcode fails with 1002`(first: UInt8) {
        expect(Frame(first: first, payload: [1]), gives: .violation(.reservedOpcode))
        #expect(ProtocolViolation.reservedOpcode.closeCode == .protocolError)
    }

    @Test(arguments: [0x08, 0x09, 0x0A] as [UInt8])
    func `a fragmented control frame fails with 1002`(first: UInt8) {
        expect(Frame(first: first, payload: []), gives: .violation(.fragmentedControlFrame))
        #expect(ProtocolViolation.fragmentedControlFrame.closeCode == .protocolError)
    }

    @Test(arguments: [0x88, 0x89, 0x8A] as [UInt8])
    func `a control frame of more than 125 bytes fails with 1002`(first: UInt8) {
        let payload = Array(repeating: 0x61 as UInt8, count: 126)
        expect(Frame(first: first, payload: payload), gives: .violation(.controlFrameTooLong))
        #expect(ProtocolViolation.controlFrameTooLong.closeCode == .protocolError)
    }

    @Test func `a control frame of 125 bytes is fine`() {
        let payload = Array(repeating: 0x61 as UInt8, count: 125)
        expect(Frame(first: 0x89, payload: payload), gives: .ping(payload))
        expect(Frame(first: 0x8A, payload: payload), gives: .pong(payload))
    }

    @Test func `a server refuses frames without mask and a client those with one`() {
        expect(Frame.text("Hello").unmasked, gives: .violation(.unmaskedFrame))
        expect(Frame.text("Hello"), gives: .violation(.maskedFrame), Setting(role: .client))
        expect(Frame.text("").unmasked, gives: .violation(.unmaskedFrame))
        expect(Frame(first: 0x89, payload: [1]).unmasked, gives: .violation(.unmaskedFrame))
        #expect(ProtocolViolation.unmaskedFrame.closeCode == .protocolError)
        #expect(ProtocolViolation.maskedFrame.closeCode == .protocolError)
    }

    @Test(arguments: [0x00, 0x80] as [UInt8])
    func `a continuation of nothing fails with 1002`(first: UInt8) {
        expect(Frame(first: first, payload: [1]), gives: .violation(.unexpectedContinuation))
        let afterMessage =
            Frame(first: 0x01, payload: []) + Frame(first: 0x80, payload: []) + Frame(first: first, payload: [])
        expect(afterMessage, gives: [.text(""), .violation(.unexpectedContinuation)])
        #expect(ProtocolViolation.unexpectedContinuation.closeCode == .protocolError)
    }

    @Test(arguments: [0x01, 0x02, 0x81, 0x82] as [UInt8])
    func `a new message inside a fragmented one fails with 1002`(first: UInt8) {
        let bytes = Frame(first: 0x01, payload: [0x61]) + Frame(first: first, payload: [0x62])
        expect(bytes, gives: [.violation(.interruptedMessage)])
        #expect(ProtocolViolation.interruptedMessage.closeCode == .protocolError)
    }

    @Test func `a length that would fit into fewer bytes fails with 1002`() {
        for (short, extended, count) in [
            (126, [0, 125], 125), (126, [0, 0], 0), (127, [0, 0, 0, 0, 0, 0, 0, 5], 5),
            (127, [0, 0, 0, 0, 0, 0, 0xFF, 0xFF], 8),
        ] as [(UInt8, [UInt8], Int)] {
            let payload = Array(repeating: 0x61 as UInt8, count: count)
            let frame = Frame(first: 0x82, payload: payload, length: (short, extended))
            expect(frame, gives: .violation(.nonMinimalLength))
        }
        #expect(ProtocolViolation.nonMinimalLength.closeCode == .protocolError)
    }

    @Test func `a length with the top bit set fails with 1002`() {
        for extended in [[0x80, 0, 0, 0, 0, 0, 0, 0], Array(repeating: 0xFF, count: 8)] as [[UInt8]] {
            let frame = Frame(first: 0x82, payload: [1], length: (127, extended))
            expect(frame, gives: .violation(.negativeLength))
        }
        #expect(ProtocolViolation.negativeLength.closeCode == .protocolError)
    }

    @Test func `the largest length there is fails with 1009 and nothing overflows`() {
        let largest: [UInt8] = [0x7F] + Array(repeating: 0xFF, count: 7)
        let frame = Frame(first: 0x82, payload: [], length: (127, largest))
        expect(frame, gives: .violation(.messageTooBig))
        let fragments = Frame(first: 0x02, payload: [1]) + Frame(first: 0x80, payload: [], length: (127, largest))
        expect(fragments, gives: [.violation(.messageTooBig)])
        let boundless = Setting(limits: DecoderLimits(maxPayloadLength: .max))
        expect(fragments, gives: [.violation(.messageTooBig)], boundless)
    }

    @Test(arguments: [0, 10, 125, 200])
    func `a message over the limit fails with 1009 before its bytes arrive`(limit: Int) {
        let setting = Setting(limits: DecoderLimits(maxPayloadLength: limit))
        let fitting = Array(repeating: 0x61 as UInt8, count: limit)
        expect(.binary(fitting), gives: .binary(fitting), setting)
        let frame = Frame.binary(fitting + [0x62])
        expect(frame, gives: .violation(.messageTooBig), setting)
        let header = Array(frame.bytes.dropLast(limit + 1))
        expect(header, gives: [.violation(.messageTooBig)], setting)
        #expect(ProtocolViolation.messageTooBig.closeCode == .messageTooBig)
    }

    @Test func `the limit holds for the sum of the fragments`() {
        let setting = Setting(limits: DecoderLimits(maxPayloadLength: 4))
        let start = Frame(first: 0x02, payload: [1, 2]) + Frame(first: 0x89, payload: Array(repeating: 9, count: 100))
        let ping = Seen.ping(Array(repeating: 9, count: 100))
        expect(start + Frame(first: 0x80, payload: [3, 4]), gives: [ping, .binary([1, 2, 3, 4])], setting)
        expect(start + Frame(first: 0x80, payload: [3, 4, 5]), gives: [ping, .violation(.messageTooBig)], setting)
    }

    @Test func `more empty fragments than the limit fail with 1008`() {
        let setting = Setting(limits: DecoderLimits(maxEmptyFragments: 3))
        let three = Frame(first: 0x02, payload: []) + Frame(first: 0, payload: []) + Frame(first: 0, payload: [])
        expect(three + Frame(first: 0x80, payload: [1]), gives: [.binary([1])], setting)
        expect(three + Frame(first: 0x80, payload: []), gives: [.violation(.tooManyEmptyFragments)], setting)
        let twice = three + Frame(first: 0x80, payload: [1])
        expect(twice + twice, gives: [.binary([1]), .binary([1])], setting)
        #expect(ProtocolViolation.tooManyEmptyFragments.closeCode == .policyViolation)
    }

    @Test func `empty messages are not fragments`() {
        let setting = Setting(limits: DecoderLimits(maxEmptyFragments: 0))
        expect(Frame.text("") + Frame.text(""), gives: [.text(""), .text("")], setting)
    }

    @Test func `a reserved opcode fails before its mask arrives`() {
        #expect(decode([[0x83], [0x80]]) == [.violation(.reservedOpcode)])
    }

    @Test(arguments: ProtocolViolation.allCases)
    func `every violation has a code that can be sent and a reason that fits`(violation: ProtocolViolation) {
        #expect(violation.closeCode.isSendable)
        #expect((1...123).contains(violation.reason.utf8.count))
        #expect(violation.reason.utf8.allSatisfy { (0x20...0x7E).contains($0) })
    }
}
