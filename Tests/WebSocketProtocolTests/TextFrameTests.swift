import Testing
import WebSocketProtocol

@Suite struct TextFrameTests {
    @Test(arguments: ["κόσμε", "Hällo", "日本語", "🦆", "a🦆b日cßd", String(repeating: "ä", count: 200)])
    func `text of any script comes out`(text: String) {
        expect(.text(text), gives: .text(text))
        expect(Frame.text(text).unmasked, gives: .text(text), Setting(role: .client))
    }

    @Test(arguments: [
        "FF", "C080", "EDA080", "F4908080", "F5", "80", "61C3", "E282", "F09F92",
        "CEBAE1BDB9CF83CEBCCEB5EDA080656469746564",
    ])
    func `text that is not UTF-8 fails with 1007`(hex: String) {
        let payload = [UInt8](hex: hex)
        expect(Frame(first: 0x81, payload: payload), gives: .violation(.invalidText))
        expect(Frame(first: 0x81, payload: payload).unmasked, gives: .violation(.invalidText), Setting(role: .client))
        let padded = Array(repeating: 0x61 as UInt8, count: 150) + payload
        expect(Frame(first: 0x81, payload: padded), gives: .violation(.invalidText))
        #expect(ProtocolViolation.invalidText.closeCode == .invalidPayload)
    }

    @Test func `binary payloads may be anything`() {
        expect(.binary([0xFF, 0xC0, 0x80]), gives: .binary([0xFF, 0xC0, 0x80]))
    }

    @Test func `a character may be cut by fragments anywhere`() {
        let duck = Array("🦆".utf8)
        for cut in 0...4 {
            let bytes =
                Frame(first: 0x01, payload: Array(duck[..<cut])) + Frame(first: 0x89, payload: [0xFF])
                + Frame(first: 0x80, payload: Array(duck[cut...]))
            expect(bytes, gives: [.ping([0xFF]), .text("🦆")])
        }
    }

    @Test func `a character that ASCII cuts short fails although the fragment is all ASCII`() {
        let bytes = Frame(first: 0x01, payload: [0xC3]) + Frame(first: 0x80, payload: [0x61])
        expect(bytes, gives: [.violation(.invalidText)])
        // Also where its rest comes behind that.
        let split = Frame(first: 0x01, payload: [0xC3]) + Frame(first: 0x00, payload: [0x61])
        expect(split + Frame(first: 0x80, payload: [0xA9]), gives: [.violation(.invalidText)])
    }

    @Test func `text that ends inside a character fails with its last fragment`() {
        let bytes = Frame(first: 0x01, payload: [0xC3]) + Frame(first: 0x80, payload: [])
        expect(bytes, gives: [.violation(.invalidText)])
    }

    @Test func `a new message does not go on with an old character`() {
        let bytes = Frame(first: 0x41, payload: [0xC3]) + Frame(first: 0x80, payload: []) + Frame.text("b")
        let setting = Setting(allowsCompression: true)
        expect(bytes, gives: [.text([0xC3], compressed: true), .text("b")], setting)
    }

    @Test func `wrong text fails before the rest of the frame arrives`() {
        // F4 90 is beyond U+10FFFF; the frame announces 100 bytes.
        let frame = Frame(first: 0x81, payload: [0x61, 0xF4, 0x90] + Array(repeating: 0x61, count: 97))
        let header = Array(frame.bytes[..<6])
        #expect(decode([header, Array(frame.bytes[6..<8])]) == [])
        #expect(decode([header, Array(frame.bytes[6..<8]), [frame.bytes[8]]]) == [.violation(.invalidText)])
    }

    @Test func `wrong text fails before the last fragment arrives`() {
        let bytes = Frame(first: 0x01, payload: [0xF4]) + Frame(first: 0x00, payload: [0x90])
        expect(bytes, gives: [.violation(.invalidText)])
    }
}
