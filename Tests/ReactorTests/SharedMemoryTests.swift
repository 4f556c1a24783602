import SystemCalls
import Testing

@testable import Reactor

/// What several threads look at: no line of memory that one loop writes to for each message is another loop's, and
/// nobody waits for a lock to wake a loop.
@Suite struct SharedMemoryTests {
    @Test func `a cache line's room is a cache line`() {
        #expect(MemoryLayout<CacheLine>.size == cacheLineSize)
        #expect(MemoryLayout<LoopCounter>.size == MemoryLayout<Int>.size)
    }

    @Test func `the counters of neighbouring loops share no cache line`() {
        let group = GroupState(loopCount: 8, placement: .kernel)
        var lines: Set<UInt> = []
        for statistics in group.statistics {
            // The header, in which who looks at statistics counts references, then room, then what the loop writes to.
            let object = unsafe UInt(bitPattern: Unmanaged.passUnretained(statistics).toOpaque())
            let counters = object + 16 + UInt(cacheLineSize)
            let end = counters + 12 * UInt(MemoryLayout<LoopCounter>.size)
            for line in (counters / 64)...((end - 1) / 64) {
                let isNew = lines.insert(line).inserted
                #expect(isNew)
            }
        }
        // Nothing else begins within the room around them.
        let objects = group.statistics.flatMap { [$0, $0.turnTimes, $0.busyShares] as [AnyObject] }
        let starts = objects.map { unsafe UInt(bitPattern: Unmanaged.passUnretained($0).toOpaque()) }.sorted()
        for (start, next) in zip(starts, starts.dropFirst()) { #expect(next - start >= 16 + 12 * 8 + 2 * 64) }
    }

    @Test func `loops are found by their index, and before they are there nobody is woken`() throws {
        let directory = LoopDirectory()
        directory.wake(0)
        #expect(directory.addresses.isEmpty)
        let events = try (0..<3).map { _ in try WakeUpEvent() }
        directory.set(events.map { DriverAddress(wakeUp: $0) })
        directory.wake(1)
        directory.wake(3)
        #expect(events.map(\.isRung) == [false, true, false])
        #expect(directory.addresses.map(\.wakeUp.descriptor) == events.map(\.descriptor))
    }

    @Test func `the table of descriptors is as large as a server's connections need`() throws {
        let limit = OpenFileLimit.raise() ?? 0
        DescriptorTable.reserve(min(limit, 32_768))
        let status = try #require(SystemFile.read("/proc/self/status"))
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("FDSize:") })
        let size = try #require(UInt(line.dropFirst(7).drop { !$0.isNumber }))
        #expect(size >= min(limit, 32_768))
    }
}
