import IOUring
import Testing

@Suite struct KernelFeatureTests {
    @Test func `the names are those of the documentation`() {
        #expect(
            KernelFeature.allCases.map(\.rawValue) == [
                "io-uring", "batched-send", "multishot-accept", "message-ring", "registered-ring",
                "registered-files", "deferred-taskrun", "min-wait",
            ])
    }

    @Test func `a list switches off what it names, and nothing else`() {
        #expect(KernelFeature.parse("") == [])
        #expect(KernelFeature.parse("message-ring") == [.messageRing])
        #expect(KernelFeature.parse("batched-send,deferred-taskrun") == [.batchedSend, .deferredTaskRun])
        #expect(KernelFeature.parse("Batched-Send,warp-drive,,") == [])
    }
}
