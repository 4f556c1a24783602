import Glibc
import Synchronization
import Testing

@testable import LoadTesting

/// A load that is told to stop stops, whatever it is doing, and tells what it has. What would not end trips the limit.
@Suite(.serialized, .timeLimit(.minutes(5))) struct InterruptionTests {
    /// How it is told.
    enum Means: CaseIterable { case control, cancellation }

    /// Runs a load of at least an hour, but for what `change` says, and stops it at the first report that `moment`
    /// takes for the right one.
    private func run(
        _ url: String, by means: Means, _ change: (inout LoadPlan) -> Void = { _ in },
        at moment: @escaping @Sendable (ProgressLine.Phase, TimeSeries.Row, Int) -> Bool
    ) async throws -> LoadResult {
        var plan = LoadPlan(workload: .echo, url: url)
        (plan.connections, plan.duration, plan.warmup, plan.pinsThreads) = (4, 3_600, 0, false)
        plan.connectTimeout = 3_600
        change(&plan)
        let control = LoadControl()
        let reportsAfterwards = Mutex<Int?>(nil)
        let engine = LoadEngine(plan: plan, control: control) { phase, row, open in
            let isNow = reportsAfterwards.withLock { count in
                count = count.map { $0 + 1 } ?? (moment(phase, row, open) ? 0 : nil)
                return count == 0
            }
            guard isNow else { return }
            switch means {
            case .control: control.stop()
            // Reports are made by the task that runs the load.
            case .cancellation: unsafe withUnsafeCurrentTask { task in unsafe task?.cancel() }
            }
        }
        let result = try await withThrowingTaskGroup(of: LoadResult.self) { group in
            group.addTask { try await engine.run() }
            return try #require(await group.next())
        }
        // A loop that went on would report again and again: its sleeps are over at once.
        if means == .cancellation { #expect(try #require(reportsAfterwards.withLock { $0 }) <= 2) }
        #expect(result.interrupted && result.failure == nil)
        return result
    }

    @Test(arguments: Means.allCases)
    func `while connecting to something that does not answer`(means: Means) async throws {
        let listener = try SilentListener()
        let result = try await run("ws://127.0.0.1:\(listener.port)", by: means) { phase, _, _ in
            phase == .connecting(of: 4)
        }
        #expect(result.seconds == 0 && result.text.contains("interrupted before anything was measured"))
    }

    @Test(arguments: Means.allCases)
    func `while connecting one by one`(means: Means) async throws {
        try await TestServer.run { url in
            let isUnderWay: @Sendable (ProgressLine.Phase, TimeSeries.Row, Int) -> Bool = { _, _, open in open >= 3 }
            let result = try await run(
                url, by: means, { ($0.connections, $0.connectRate) = (1_000, 20) }, at: isUnderWay)
            #expect(result.total.opened >= 3 && result.seconds == 0)
        }
    }

    @Test(arguments: Means.allCases)
    func `in the warm-up`(means: Means) async throws {
        try await TestServer.run { url in
            let result = try await run(url, by: means, { $0.warmup = 3_600 }) { phase, _, _ in
                if case .warmingUp = phase { true } else { false }
            }
            #expect(result.seconds == 0)
        }
    }

    @Test(arguments: Means.allCases)
    func `while it measures`(means: Means) async throws {
        try await TestServer.run { url in
            let result = try await run(url, by: means) { phase, row, _ in
                if case .measuring = phase { row.counters.received > 0 } else { false }
            }
            #expect(result.seconds > 0 && result.counters.received > 0 && result.total.lost == 0)
        }
    }

    @Test(arguments: Means.allCases)
    func `while it waits for answers that do not come`(means: Means) async throws {
        try await TestServer.run { url in
            let result = try await run(url + "/sink", by: means, { $0.duration = 0.1 }) { phase, _, _ in
                phase == .finishing
            }
            // They might have come.
            #expect(result.seconds > 0 && result.total.lost == 0)
        }
    }
}

/// Accepts connections, as the kernel does for a listener that nobody asks, and never says a word.
private final class SilentListener: Sendable {
    private let descriptor: Int32
    let port: Int

    init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        // Safe: the address outlives the calls, which use no more than its length.
        let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
            }
        }
        try #require(isBound && listen(descriptor, 64) == 0)
        self.descriptor = descriptor
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    deinit { close(descriptor) }
}
