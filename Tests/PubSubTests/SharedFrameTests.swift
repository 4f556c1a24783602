import Synchronization
import Testing

@testable import PubSub

@Suite struct SharedFrameTests {
    @Test func `a frame carries the bytes it was filled with`() {
        let frame = unsafe SharedFrame.allocate(byteCount: 5, owners: 1) { bytes in
            unsafe bytes.copyBytes(from: [0x81, 0x03, 0x61, 0x62, 0x63])
        }
        #expect(unsafe Array(frame.bytes) == [0x81, 0x03, 0x61, 0x62, 0x63])
        let travelled = unsafe SharedFrame(rawValue: frame.rawValue)
        #expect(unsafe Array(travelled.bytes) == [0x81, 0x03, 0x61, 0x62, 0x63])
        frame.release()
    }

    @Test func `the topic lives as long as the last owner of the frame`() {
        weak var entry: TopicEntry?
        let frame: SharedFrame
        do {
            let registry = TopicRegistry(loopCount: 1)
            let table = SubscriptionTable(loop: 0, registry: registry)
            let made = table.entry(for: "a")
            entry = made
            frame = unsafe SharedFrame.allocate(byteCount: 0, owners: 2, topic: made) { _ in }
        }
        #expect(frame.topic?.topic == "a")
        frame.retain()
        frame.release(by: 2)
        #expect(entry != nil)
        frame.release()
        #expect(entry == nil)
    }

    @Test func `owners on several threads release it once`() async {
        for _ in 0..<1_000 {
            let frame = unsafe SharedFrame.allocate(byteCount: 64, owners: 4) { bytes in
                unsafe bytes.initializeMemory(as: UInt8.self, repeating: 0x5A)
            }
            await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        defer { frame.release() }
                        return unsafe frame.bytes.allSatisfy { $0 == 0x5A }
                    }
                }
                for await intact in group { #expect(intact) }
            }
        }
    }
}
