import HTTPProtocol
import Testing

@Suite struct ByteRangeTests {
    private func offsets(_ text: String, in byteCount: Int) -> Range<Int>? {
        ByteRange(text)?.offsets(in: byteCount)
    }

    @Test(arguments: [
        ("bytes=0-0", 0..<1), ("bytes=0-9", 0..<10), ("bytes=9-9", 9..<10), ("bytes=5-", 5..<10),
        ("bytes=5-99", 5..<10), ("bytes=-3", 7..<10), ("bytes=-10", 0..<10), ("bytes=-11", 0..<10),
        ("Bytes= 2-3 ,", 2..<4), ("bytes=0-99999999999999999999", 0..<10),
        ("bytes=0-9223372036854775807", 0..<10),
    ])
    func `a range means these offsets of ten bytes`(_ text: String, _ expected: Range<Int>) {
        #expect(offsets(text, in: 10) == expected)
    }

    @Test(arguments: ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99999999999999999999-"])
    func `a range behind the end means none`(_ text: String) {
        #expect(ByteRange(text) != nil && offsets(text, in: 10) == nil)
    }

    @Test(arguments: [
        "", "bytes", "bytes=", "bytes=-", "bytes=5-4", "bytes=a-b", "bytes=1-b", "bytes=+1-2", "bytes=1--2",
        "bytes=--1",
        "bytes=0-1,3-4", "bytes=0-1, 0-1", "items=0-1", "bytes 0-1", "bytes=0-1-2", "bytes=1 - 2", "bytes = 0-1",
        "bytes=0x1-2", "bytes=0-1, bytes=2-3", "bytes=٣-",
    ])
    func `what is no single range of bytes is without effect`(_ text: String) {
        #expect(ByteRange(text) == nil)
    }

    @Test func `whatever is asked for lies within the body, and is not empty`() {
        var random = SplitMix64(state: 0x72_61_6E_67)
        let parts = ["0", "1", "9", "10", "5", "-", "-", ",", " ", "bytes", "=", "bytes=", "18446744073709551616"]
        var count = 0
        for _ in 0..<50_000 {
            let text =
                "bytes="
                + (0..<Int.random(in: 1...5, using: &random)).map { _ in parts.randomElement(using: &random)! }
                .joined()
            let length = Int.random(in: 0...12, using: &random)
            guard let range = offsets(text, in: length) else { continue }
            count += 1
            #expect(!range.isEmpty && range.lowerBound >= 0 && range.upperBound <= length, "\(text) in \(length)")
        }
        #expect(count > 1_000)
    }
}
