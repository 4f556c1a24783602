import PubSub
import Testing

@Suite struct NumberingTests {
    private let numbering = Numbering(epoch: 9, firstStamp: 1, earlier: [Position(epoch: 5, offset: 3)])

    @Test func `a position up to the end of an earlier numbering has gone on from there`() {
        #expect(numbering.offset(of: Position(epoch: 9, offset: 7)) == 7)
        #expect(numbering.offset(of: Position(epoch: 5, offset: 3)) == 3)
        #expect(numbering.offset(of: .oldest) == 0)
    }

    @Test func `a position behind the end of an earlier numbering, or of none, has lost something`() {
        #expect(numbering.offset(of: Position(epoch: 5, offset: 4)) == nil)
        #expect(numbering.offset(of: Position(epoch: 6, offset: 1)) == nil)
    }
}
