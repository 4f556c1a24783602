import LoadTesting
import Testing

@Suite struct StampTests {
    @Test(arguments: [
        Stamp(sender: 0, sequence: 0, time: 0), Stamp(sender: 1, sequence: 2, time: 3),
        Stamp(sender: UInt32(Stamp.senders) - 1, sequence: Stamp.sequences - 1, time: 0xFFFF_FFFF_FFFF),
        Stamp(sender: 0xABCDE, sequence: 0x123_4567, time: 0x8765_4321_0FED),
    ])
    func `a stamp is read as it was written`(stamp: Stamp) {
        var payload = PayloadTemplate(size: 20)
        payload.stamp(stamp)
        #expect(payload.span.stamp == stamp)
    }

    @Test func `a stamped payload is printable text`() {
        var payload = PayloadTemplate(size: 40)
        payload.stamp(Stamp(sender: 987_654, sequence: 87_654_321, time: 0xF0F0_F0F0_F0F0))
        // Safe: the bytes are looked at within the closure.
        let isPrintable = unsafe payload.span.withUnsafeBytes { unsafe $0.allSatisfy { 0x20...0x7E ~= $0 } }
        #expect(isPrintable)
    }

    @Test func `a payload without room has no stamp`() {
        var payload = PayloadTemplate(size: Stamp.byteCount - 1)
        let before = payload
        payload.stamp(Stamp(sender: 1, sequence: 1, time: 1))
        #expect(!payload.hasStamp && payload.span.stamp == nil)
        #expect(payload.span.byteCount == before.span.byteCount)
    }

    private func stamp(in payload: [UInt8]) -> Stamp? { unsafe payload.span.bytes.stamp }

    @Test func `what is no stamp is not taken for one`() {
        #expect(stamp(in: Array("Ann: 0000000000000000".utf8)) == nil)
        for (character, isStamp) in [(0x2F, false), (0x30, true), (0x6F, true), (0x70, false), (0xFF, false)] {
            #expect((stamp(in: [UInt8](repeating: UInt8(character), count: 16)) != nil) == isStamp)
        }
    }

    @Test func `sequence numbers in order are in order, round the circle too`() {
        var check = SequenceCheck(next: Stamp.sequences - 1)
        #expect(check.receive(Stamp.sequences - 1) == .inOrder)
        #expect(check.receive(0) == .inOrder)
        #expect(check.receive(1) == .inOrder)
    }

    @Test func `what is left out is a gap, and what comes behind it is late`() {
        var check = SequenceCheck()
        #expect(check.receive(0) == .inOrder)
        #expect(check.receive(3) == .gap(2))
        #expect(check.receive(1) == .late)
        #expect(check.receive(4) == .inOrder)
        #expect(check.receive(2) == .late)
    }

    @Test func `what comes again is a duplicate, in order or late`() {
        var check = SequenceCheck()
        #expect(check.receive(0) == .inOrder && check.receive(0) == .duplicate)
        #expect(check.receive(3) == .gap(2) && check.receive(3) == .duplicate)
        #expect(check.receive(1) == .late && check.receive(1) == .duplicate)
        #expect(check.receive(2) == .late)
    }

    @Test func `a gap wider than what is remembered leaves nothing remembered`() {
        var check = SequenceCheck()
        #expect(check.receive(0) == .inOrder && check.receive(1_000) == .gap(999))
        #expect(check.receive(950) == .late && check.receive(950) == .duplicate)
        // Too far behind to be known; a doubt is not told as a duplicate.
        #expect(check.receive(0) == .late)
    }

    @Test(arguments: [8, 20, 100])
    func `a payload is compared behind its stamp`(size: Int) {
        var sent = PayloadTemplate(size: size)
        sent.stamp(Stamp(sender: 1, sequence: 2, time: 3))
        let other = PayloadTemplate(size: size)
        let isSame = sent.hasSameRest(as: other.span)
        let longer = PayloadTemplate(size: size + 1)
        let isSameAsLonger = sent.hasSameRest(as: longer.span)
        var changed = unsafe other.span.withUnsafeBytes { unsafe Array($0) }
        changed[size - 1] ^= 1
        let isSameAsChanged = unsafe sent.hasSameRest(as: changed.span.bytes)
        #expect(isSame && !isSameAsLonger && !isSameAsChanged)
    }
}
