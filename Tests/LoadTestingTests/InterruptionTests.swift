import Glibc
import Synchronization
import Testing

@testable import LoadTesting

/// A load that is told to stop stops, whatever it is doing, and tells what it has. What would not end trips the limit.
@Suite(.serialized, .timeLimit(.minutes(1))) struct InterruptionTests {
    /// Runs a load of at least an hour, but for what `change` says, and stops it at the first report that `moment`
    /// takes for the right one.
    private func run(
        _ url: String, _ change: (inout LoadPlan) -> Void = { _ in },
        at moment: @escaping @Sendable (ProgressLine.Phase, Int) -> Bool
    ) async throws -> LoadResult {
        var plan = LoadPlan(workload: .echo, url: url)
        (plan.connections, plan.duration, plan.warmup, plan.pinning) = (4, 3_600, 0, false)
        plan.connectTimeout = 3_600
        change(&plan)
        let control = LoadControl()
        let engine = LoadEngine(plan: plan, control: control) { phase, _, open in
            if moment(phase, open) { control.stop() }
        }
        return try await engine.run()
    }

    @Test func `while connecting to something that does not answer`() async throws {
        let listener = try SilentListener()
        let result = try await run("ws://127.0.0.1:\(listener.port)") { phase, _ in phase == .connecting(of: 4) }
        #expect(result.interrupted && result.seconds == 0 && result.failure == nil)
        #expect(result.text.contains("interrupted before anything was measured"))
    }

    @Test func `while connecting one by one`() async throws {
        try await TestServer.run { url in
            let result = try await run(url, { ($0.connections, $0.connectRate) = (1_000, 20) }) { _, open in open == 3 }
            #expect(result.interrupted && 3..<1_000 ~= result.total.opened)
        }
    }

    @Test func `in the warm-up`() async throws {
        try await TestServer.run { url in
            let result = try await run(url, { $0.warmup = 3_600 }) { phase, _ in
                if case .warmingUp = phase { true } else { false }
            }
            #expect(result.interrupted && result.seconds == 0 && result.failure == nil)
        }
    }

    @Test func `while it waits for answers that do not come`() async throws {
        try await TestServer.run { url in
            let result = try await run(url + "/sink", { $0.duration = 0.1 }) { phase, _ in phase == .finishing }
            // They might have come.
            #expect(result.interrupted && result.seconds > 0 && result.total.lost == 0 && result.failure == nil)
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
