import Testing
import WebSocketProtocol

@Suite struct CloseFrameTests {
    @Test func `an empty close frame has no code`() {
        expect(Frame(first: 0x88, payload: []), gives: .close(nil, []))
    }

    @Test func `a close frame has a code and a reason`() {
        expect(.close(1000), gives: .close(1000, []))
        expect(.close(1001, Array("späť".utf8)), gives: .close(1001, Array("späť".utf8)))
        let longest = Array(repeating: 0x61 as UInt8, count: 123)
        expect(.close(4999, longest), gives: .close(4999, longest))
    }

    @Test func `a close frame of one byte fails with 1002`() {
        expect(Frame(first: 0x88, payload: [3]), gives: .violation(.truncatedCloseCode))
        #expect(ProtocolViolation.truncatedCloseCode.closeCode == .protocolError)
    }

    @Test(
        arguments: [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
            as [UInt16])
    func `a registered or private code is taken`(code: UInt16) {
        expect(.close(code), gives: .close(code, []))
        #expect(CloseCode(rawValue: code).isSendable)
    }

    @Test(arguments: [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] as [UInt16])
    func `any other code fails with 1002`(code: UInt16) {
        expect(.close(code), gives: .violation(.illegalCloseCode))
        #expect(!CloseCode(rawValue: code).isSendable)
        #expect(ProtocolViolation.illegalCloseCode.closeCode == .protocolError)
    }

    @Test func `a reason that is not UTF-8 fails with 1007`() {
        expect(.close(1000, [0xFF]), gives: .violation(.invalidCloseReason))
        expect(.close(1000, [0x61, 0xC3]), gives: .violation(.invalidCloseReason))
        #expect(ProtocolViolation.invalidCloseReason.closeCode == .invalidPayload)
    }

    @Test func `a code reads as its number and meaning`() {
        #expect("\(CloseCode.protocolError)" == "1002 protocol error")
        #expect("\(CloseCode(rawValue: 4242))" == "4242")
    }
}
