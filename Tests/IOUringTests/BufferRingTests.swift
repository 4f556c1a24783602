import Glibc
import IOUring
import SystemCalls
import Testing

@Suite struct BufferRingTests {
    @Test func `every arrival comes in a buffer of its own until there are none`() throws {
        let ring = try Ring(submissionEntries: 8, completionEntries: 64)
        let buffers = try BufferRing(in: ring, group: 3, bufferSize: 64, bufferCount: 2)
        let pair = try Pair()
        ring.receive(on: pair.first, group: 3, userData: 1)
        var held: [UInt16] = []
        for byte: UInt8 in [0x61, 0x62] {
            pair.write([byte])
            try wait(for: ring, milliseconds: 1_000)
            let completion = try next(of: ring)
            let buffer = try #require(completion.buffer)
            #expect(completion.result == 1 && completion.hasMore)
            #expect(unsafe buffers.memory(of: buffer)[0] == byte)
            held.append(buffer)
        }
        #expect(Set(held) == [0, 1])

        pair.write([0x63])
        try wait(for: ring, milliseconds: 1_000)
        let refusal = try next(of: ring)
        #expect(refusal.result == -ENOBUFS && !refusal.hasMore && refusal.buffer == nil)

        buffers.giveBack(held[1])
        ring.receive(on: pair.first, group: 3, userData: 2)
        try wait(for: ring, milliseconds: 1_000)
        let completion = try next(of: ring)
        #expect(completion.buffer == held[1], "nothing was lost meanwhile")
        #expect(unsafe buffers.memory(of: held[1])[0] == 0x63)
    }

    @Test func `what is longer than a buffer comes in several`() throws {
        let ring = try Ring(submissionEntries: 8, completionEntries: 64)
        let buffers = try BufferRing(in: ring, group: 0, bufferSize: 64, bufferCount: 8)
        let pair = try Pair()
        let bytes = (0..<150).map { UInt8($0) }
        pair.write(bytes)
        ring.receive(on: pair.first, group: 0, userData: 1)
        var received: [UInt8] = []
        while received.count < bytes.count {
            try wait(for: ring, milliseconds: 1_000)
            while let completion = ring.nextCompletion() {
                let buffer = try #require(completion.buffer)
                #expect(completion.result <= 64)
                unsafe received += buffers.memory(of: buffer).prefix(Int(completion.result))
                buffers.giveBack(buffer)
            }
        }
        #expect(received == bytes)
    }

    @Test func `the end of the peer's bytes is 0 and takes no buffer`() throws {
        let ring = try Ring(submissionEntries: 8, completionEntries: 64)
        let buffers = try BufferRing(in: ring, group: 0, bufferSize: 64, bufferCount: 1)
        let pair = try Pair()
        shutdown(pair.second, Int32(SHUT_WR))
        ring.receive(on: pair.first, group: 0, userData: 1)
        try wait(for: ring, milliseconds: 1_000)
        let completion = try next(of: ring)
        #expect(completion.result == 0 && !completion.hasMore && completion.buffer == nil)
        #expect(buffers.bufferSize == 64)
    }

    @Test func `a group's number is taken once`() throws {
        let ring = try Ring(submissionEntries: 8, completionEntries: 64)
        let first = try BufferRing(in: ring, group: 5, bufferSize: 64, bufferCount: 1)
        #expect(throws: SystemError(EEXIST)) {
            _ = try BufferRing(in: ring, group: 5, bufferSize: 64, bufferCount: 1)
        }
        #expect(first.group == 5)
    }
}
