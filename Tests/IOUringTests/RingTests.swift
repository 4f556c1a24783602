import CIOUring
import Glibc
import IOUring
import SystemCalls
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

    @Test(.timeLimit(.minutes(2))) func `a ring that takes no submissions any more ends the process`() async {
        await #expect(processExitsWith: .failure) {
            // Set before it is looked at: with the ring registered, closing its descriptor would change nothing.
            unsafe setenv("RINGCAST_DISABLE", "registered-ring", 1)
            let ring = try Ring(submissionEntries: 8, completionEntries: 16)
            close(ring.descriptor)
            for number in 0..<9 as Range<UInt64> { ring.cancel(1 << 40, userData: number) }
        }
    }

    private func ring() throws -> Ring { try Ring(submissionEntries: 8, completionEntries: 64) }

    @Test func `a ring has nothing to say at first`() throws {
        let ring = try ring()
        #expect(ring.unsubmittedCount == 0)
        let isSilent = ring.nextCompletion() == nil
        #expect(isSilent)
    }

    @Test func `an operation waits for the hand-over, and completes with its number`() throws {
        let ring = try ring()
        let pair = try Pair()
        unsafe ring.send(pair.message("hello").bytes, on: pair.first, userData: 0x1234)
        #expect(ring.unsubmittedCount == 1)
        try wait(for: ring, milliseconds: 1_000)
        #expect(ring.unsubmittedCount == 0)
        let completion = try next(of: ring)
        #expect(completion.userData == 0x1234 && completion.result == 5 && !completion.hasMore)
        #expect(completion.buffer == nil)
        #expect(pair.read() == Array("hello".utf8))
    }

    @Test func `more operations than the queue holds are handed over in between`() throws {
        let ring = try ring()
        let pair = try Pair()
        for number: UInt64 in 0..<40 {
            unsafe ring.send(pair.message("x").bytes, on: pair.first, userData: number)
        }
        try wait(for: ring, milliseconds: 1_000)
        var numbers: [UInt64] = []
        while let completion = ring.nextCompletion() { numbers.append(completion.userData) }
        #expect(numbers.sorted() == Array(0..<40))
        #expect(pair.read().count == 40)
    }

    @Test func `a wait ends with its time, and that is no error`() throws {
        let ring = try ring()
        let start = ContinuousClock.now
        try wait(for: ring, milliseconds: 30)
        #expect(ContinuousClock.now - start >= .milliseconds(29))
        try wait(for: ring, milliseconds: 0)
    }

    @Test func `a batched send that takes everything is silent`() throws {
        let ring = try ring()
        let pair = try Pair()
        unsafe ring.sendBatched(pair.message("hello").bytes, on: .descriptor(pair.first), userData: 1)
        try wait(for: ring, milliseconds: 0)
        let isSilent = ring.nextCompletion() == nil
        #expect(isSilent)
        #expect(pair.read() == Array("hello".utf8))
    }

    @Test func `a batched send tells how much a full socket took, and then that it is full`() throws {
        let ring = try ring()
        let pair = try Pair()
        let large = [UInt8](repeating: 0x2A, count: 8 << 20)
        let (first, second) = unsafe try large.withUnsafeBytes { bytes in
            unsafe ring.sendBatched(bytes, on: .descriptor(pair.first), userData: 1)
            try wait(for: ring, milliseconds: 0)
            let first = try next(of: ring)
            unsafe ring.sendBatched(bytes, on: .descriptor(pair.first), userData: 2)
            try wait(for: ring, milliseconds: 0)
            return (first, try next(of: ring))
        }
        #expect(first.result > 0 && first.result < large.count)
        #expect(second.result == -EAGAIN)
        #expect(pair.read().count == Int(first.result), "nothing is lost")
    }

    @Test func `an ordinary send waits for room, and tells as soon as it has taken something`() throws {
        let ring = try ring()
        let pair = try Pair()
        let large = [UInt8](repeating: 0x2A, count: 8 << 20)
        unsafe try large.withUnsafeBytes { bytes in
            unsafe ring.send(bytes, on: pair.first, userData: 1)
            try wait(for: ring, milliseconds: 1_000)
            let first = try next(of: ring)
            #expect(first.result > 0 && first.result < large.count)
            unsafe ring.send(bytes, on: pair.first, userData: 2)
            try wait(for: ring, milliseconds: 20)
            let isSilent = ring.nextCompletion() == nil
            #expect(isSilent, "the socket is full")
            #expect(pair.read().count >= Int(first.result))
            try wait(for: ring, milliseconds: 1_000)
            #expect(try next(of: ring).result > 0)
        }
    }

    @Test func `a canceled operation completes as canceled, the cancellation itself is silent`() throws {
        let ring = try ring()
        let pair = try Pair()
        let buffers = try BufferRing(in: ring, group: 0, bufferSize: 64, bufferCount: 2)
        ring.receive(on: pair.first, group: 0, userData: 7)
        ring.cancel(7, userData: 8)
        try wait(for: ring, milliseconds: 1_000)
        let completion = try next(of: ring)
        #expect(completion.userData == 7 && completion.result == -ECANCELED && !completion.hasMore)
        let isSilent = ring.nextCompletion() == nil
        #expect(isSilent)
        #expect(buffers.bufferCount == 2)
    }

    @Test func `one of several operations on a descriptor is canceled, and a second time is no harm`() throws {
        let ring = try ring()
        let pair = try Pair()
        let buffers = try BufferRing(in: ring, group: 0, bufferSize: 64, bufferCount: 2)
        for number: UInt64 in 1...3 { ring.receive(on: pair.first, group: 0, userData: number) }
        ring.cancel(2, userData: 9)
        ring.cancel(2, userData: 9)
        try wait(for: ring, milliseconds: 1_000)
        var canceled: [UInt64] = []
        while let completion = ring.nextCompletion() {
            // The second one may find it, or not.
            let isCancel = completion.userData == 9
            #expect(completion.result == (isCancel ? -ENOENT : -ECANCELED))
            if !isCancel { canceled.append(completion.userData) }
        }
        #expect(canceled == [2])
        #expect(buffers.bufferCount == 2)
    }

    @Test func `a ring can be woken by another one`() throws {
        let sleeper = try ring()
        let other = try ring()
        other.notify(ring: sleeper.descriptor, message: 42, userData: 1)
        try wait(for: other, milliseconds: 0)
        try wait(for: sleeper, milliseconds: 1_000)
        #expect(try next(of: sleeper).userData == 42)
    }

    @Test func `a refused ring is an error with the kernel's words`() {
        #expect(throws: SystemError.invalidArgument) {
            _ = try Ring(submissionEntries: 0, completionEntries: 0)
        }
        #expect(SystemError.invalidArgument.description == "Invalid argument")
        #expect(SystemError(EADDRINUSE) == .addressInUse)
    }
}
