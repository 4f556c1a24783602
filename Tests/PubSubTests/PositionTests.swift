import Testing

@testable import PubSub

@Suite struct PositionTests {
    @Test(arguments: [Position.oldest, Position(epoch: 17, offset: 3), Position(epoch: .max, offset: .max)])
    func `what is written is read again`(position: Position) {
        #expect(Position(String(position)) == position)
    }

    /// What a client names may be anything.
    @Test(arguments: [
        "", ".", "1", "1.", ".1", "1.2.3", "+1.2", "-1.2", "1.-2", " 1.2", "1.2 ", "1,2", "a.b",
        "1.18446744073709551616", "18446744073709551616.1",
        "１.２", "1.2\0", "000000000000000000000000000000000000001.2222",
    ])
    func `what is no position is none`(text: String) { #expect(Position(text) == nil) }
}
