internal import Synchronization
public import Testing

/// Ends, behind each test, what it has made and left as it was: a handler's closures name its loop, which keeps the
/// handler; an open socket is memory that only its end frees. Otherwise a leak of the library could not be told from
/// those of tests.
public struct EndingTrait: SuiteTrait, TestTrait, TestScoping {
    public var isRecursive: Bool { true }

    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let end = TestEnd()
        defer { end.come() }
        try await TestEnd.$current.withValue(end) { try await function() }
    }
}

extension Trait where Self == EndingTrait {
    /// Whatever puts itself down for the test's end (`TestEnd`) ends with it: recording handlers, simulated servers.
    public static var endingAll: EndingTrait { EndingTrait() }
}

/// What is to be done when a test is over, the last first.
package final class TestEnd: Sendable {
    @TaskLocal package static var current: TestEnd?

    private let acts = Mutex<[@Sendable () -> Void]>([])

    /// Has `end` called with `made`, which is kept until then.
    package func add<Made: AnyObject>(_ made: Made, _ end: @escaping @Sendable (Made) -> Void) {
        // Safe: a test uses what it has made itself, and this does when the test is over.
        nonisolated(unsafe) let made = made
        acts.withLock { $0.append { unsafe end(made) } }
    }

    fileprivate func come() {
        while let act = acts.withLock({ $0.popLast() }) { act() }
    }
}
