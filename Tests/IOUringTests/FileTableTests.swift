import CIOUring
import CSystemCalls
import Glibc
import IOUring
import SystemCalls
import Testing

@Suite struct FileTableTests {
    @Test func `a send names a socket by its place in the table`() throws {
        let ring = try Ring(submissionEntries: 8, completionEntries: 16)
        let table = FileTable(in: ring, capacity: 4)
        let pair = try Pair()
        table.insert(pair.first, at: 3, in: ring, userData: 1)
        unsafe ring.sendBatched(pair.message("hello").bytes, on: .registered(3), userData: 2)
        #expect(ring.submitAndWait(milliseconds: 0) == nil)
        let isSilent = ring.nextCompletion() == nil
        #expect(isSilent)
        #expect(pair.read() == Array("hello".utf8))
    }

    @Test func `an emptied place refuses, and can be taken again`() throws {
        let ring = try Ring(submissionEntries: 8, completionEntries: 16)
        let table = FileTable(in: ring, capacity: 4)
        let pair = try Pair()
        table.insert(pair.first, at: 0, in: ring, userData: 1)
        table.remove(0, in: ring, userData: 1)
        let isEmpty = !table.contains(0)
        #expect(isEmpty)
        unsafe ring.sendBatched(pair.message("lost").bytes, on: .registered(0), userData: 2)
        #expect(ring.submitAndWait(milliseconds: 0) == nil)
        let refused = ring.nextCompletion()
        #expect(refused?.userData == 2 && refused?.result == -EBADF)
        table.insert(pair.first, at: 0, in: ring, userData: 1)
        unsafe ring.sendBatched(pair.message("kept").bytes, on: .registered(0), userData: 3)
        #expect(ring.submitAndWait(milliseconds: 0) == nil)
        #expect(pair.read() == Array("kept".utf8))
    }

    @Test func `a socket that was taken out ends with its descriptor`() throws {
        let ring = try Ring(submissionEntries: 8, completionEntries: 16)
        let table = FileTable(in: ring, capacity: 1)
        var ends: [Int32] = [0, 0]
        #expect(unsafe ringcast_stream_pair(&ends) == 0)
        defer { close(ends[1]) }
        table.insert(ends[0], at: 0, in: ring, userData: 1)
        table.remove(0, in: ring, userData: 1)
        ring.close(ends[0], userData: 1)
        #expect(ring.submitAndWait(milliseconds: 0) == nil)
        var byte: UInt8 = 0
        #expect(uninterrupted { unsafe recv(ends[1], &byte, 1, 0) } == 0, "the other end sees the end")
    }

    @Test func `a place that the kernel did not empty is emptied again`() throws {
        let ring = try Ring(submissionEntries: 8, completionEntries: 16)
        let table = FileTable(in: ring, capacity: 4)
        var ends: [Int32] = [0, 0]
        #expect(unsafe ringcast_stream_pair(&ends) == 0)
        defer { close(ends[1]) }
        table.insert(ends[0], at: 3, in: ring, userData: 1)
        #expect(ring.submitAndWait(milliseconds: 0) == nil)
        // As if its removal had failed: the kernel holds the socket, and nobody else does.
        let isForgotten = table.forget(3)
        #expect(isForgotten)
        close(ends[0])
        var byte: UInt8 = 0
        let flags = Int32(MSG_DONTWAIT)
        #expect(unsafe recv(ends[1], &byte, 1, flags) == -1 && errno == EAGAIN, "it is open")
        table.removeAgain(3, in: ring, userData: 1)
        #expect(ring.submitAndWait(milliseconds: 0) == nil)
        #expect(unsafe recv(ends[1], &byte, 1, 0) == 0, "the other end sees the end")
    }

    @Test func `a place that has been taken since is not emptied again`() throws {
        let ring = try Ring(submissionEntries: 8, completionEntries: 16)
        let table = FileTable(in: ring, capacity: 4)
        let pair = try Pair()
        table.insert(pair.first, at: 3, in: ring, userData: 1)
        table.removeAgain(3, in: ring, userData: 1)
        #expect(ring.unsubmittedCount == 1)
    }

    @Test func `a place beyond the capacity is not used`() throws {
        let ring = try Ring(submissionEntries: 8, completionEntries: 16)
        let table = FileTable(in: ring, capacity: 2)
        let pair = try Pair()
        table.insert(pair.first, at: 2, in: ring, userData: 1)
        let isUnused = !table.contains(2)
        #expect(isUnused)
        #expect(ring.unsubmittedCount == 0)
    }
}
