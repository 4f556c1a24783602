import IOUring
import Testing

@Suite struct RingTests {
    @Test func `completions that the queue had no room for come as well`() throws {
        let ring = try Ring(submissionEntries: 8, completionEntries: 16)
        // Nothing has this number: each cancellation fails, and so completes.
        for number in 0..<100 as Range<UInt64> { ring.cancel(1 << 40, userData: number) }
        let error = ring.submitAndWait(milliseconds: 0)
        #expect(error == nil)
        var numbers: [UInt64] = []
        while let completion = ring.nextCompletion() { numbers.append(completion.userData) }
        #expect(numbers == Array(0..<100))
    }
}
