import CIOUring
import Testing

@testable import IOUring

/// Waits for several completions, on the machine's own kernel (Linux 6.12).
@Suite(.enabled(if: kernelGathers(), "the kernel has no IORING_FEAT_MIN_TIMEOUT")) struct GatheringTests {

    @Test func `what is complete already ends the wait when there is enough of it`() throws {
        let ring = try makeRing()
        let pair = try Pair()
        for number: UInt64 in 0..<4 {
            unsafe ring.send(pair.message("x").bytes, on: pair.first, userData: number)
        }
        let start = ContinuousClock.now
        let error = ring.submitAndGather(4, microseconds: 120_000_000, milliseconds: 240_000)
        #expect(error == nil && ring.unsubmittedCount == 0)
        #expect(ContinuousClock.now - start < .seconds(60), "it did not wait for more")
        #expect(try numbers(of: ring) == [0, 1, 2, 3])
        #expect(pair.read().count == 4)
    }

    @Test(arguments: [false, true])
    func `too few completions end it with the microseconds`(hasSubmissions: Bool) throws {
        let ring = try makeRing()
        let pair = try Pair()
        unsafe ring.send(pair.message("x").bytes, on: pair.first, userData: 7)
        if !hasSubmissions { try wait(for: ring, milliseconds: 0) }
        let start = ContinuousClock.now
        let error = ring.submitAndGather(32, microseconds: 30_000, milliseconds: 240_000)
        #expect(error == nil)
        #expect(ContinuousClock.now - start >= .milliseconds(29))
        #expect(ContinuousClock.now - start < .seconds(120))
        #expect(try numbers(of: ring) == [7])
    }

    @Test(arguments: [240_000, nil] as [UInt64?])
    func `with none by then it waits on for the first one`(milliseconds: UInt64?) throws {
        let ring = try makeRing()
        // The kernel reads the time at the submission.
        let time = UnsafeMutablePointer<__kernel_timespec>.allocate(capacity: 1)
        defer { unsafe time.deallocate() }
        unsafe time.initialize(to: __kernel_timespec(tv_sec: 0, tv_nsec: 50_000_000))
        let timer = unsafe ring.nextSubmission()
        unsafe io_uring_prep_timeout(timer, time, 0, 0)
        unsafe timer.pointee.user_data = 9
        let start = ContinuousClock.now
        let error = ring.submitAndGather(32, microseconds: 1_000, milliseconds: milliseconds)
        #expect(error == nil)
        #expect(ContinuousClock.now - start >= .milliseconds(49))
        #expect(try next(of: ring).userData == 9)
    }

    @Test func `the limit ends it, and that is no error`() throws {
        let ring = try makeRing()
        let start = ContinuousClock.now
        let error = ring.submitAndGather(32, microseconds: 1_000, milliseconds: 30)
        #expect(error == nil)
        #expect(ContinuousClock.now - start >= .milliseconds(29))
        let isSilent = ring.nextCompletion() == nil
        #expect(isSilent)
    }

    @Test func `it takes turns with other waits, and the queue wraps around`() throws {
        let ring = try makeRing()
        let pair = try Pair()
        for round: UInt64 in 0..<40 {
            for number: UInt64 in 0..<3 {
                unsafe ring.send(pair.message("x").bytes, on: pair.first, userData: round * 3 + number)
            }
            if round % 3 == 0 {
                try wait(for: ring, milliseconds: 1_000)
            } else {
                let error = ring.submitAndGather(3, microseconds: 1_000_000, milliseconds: 1_000)
                #expect(error == nil)
            }
            #expect(try numbers(of: ring) == [round * 3, round * 3 + 1, round * 3 + 2])
        }
        #expect(pair.read().count == 120)
    }

    private func numbers(of ring: borrowing Ring) throws -> [UInt64] {
        var numbers: [UInt64] = []
        while let completion = ring.nextCompletion() { numbers.append(completion.userData) }
        return numbers.sorted()
    }
}

private func makeRing() throws -> Ring { try Ring(submissionEntries: 8, completionEntries: 64) }

private func kernelGathers() -> Bool {
    guard let ring = try? makeRing() else { return false }
    return ring.canGather
}
