import Synchronization
import Testing

@testable import Reactor

@Suite struct ResolverTests {
    /// What the resolver's threads have done, and what lets them go on.
    private final class Desk: Sendable {
        let gate = Semaphore()
        let looked = Mutex<[String]>([])
        let answered = Mutex<[String]>([])
        let busiest = Mutex<(now: Int, most: Int)>((0, 0))

        func resolver(_ threadLimit: Int, queueLimit: Int = 100) -> Resolver {
            Resolver(threadLimit: threadLimit, queueLimit: queueLimit) { host, _ in
                self.busiest.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
                self.gate.wait()
                self.busiest.withLock { $0.now -= 1 }
                self.looked.withLock { $0.append(host) }
                return .failed(host)
            }
        }

        func ask(_ resolver: Resolver, _ host: String) -> ResolutionRequest {
            resolver.resolve(host, port: 1) { result in
                if case .failed(let text) = result { self.answered.withLock { $0.append(text) } }
            }
        }
    }

    private func eventually(_ condition: () -> Bool) -> Bool {
        let deadline = ContinuousClock.now + .seconds(60)
        while !condition(), ContinuousClock.now < deadline {}
        return condition()
    }

    @Test func `there are never more threads than the bound, and none when nothing waits`() {
        let desk = Desk()
        let resolver = desk.resolver(3)
        for number in 0..<20 { _ = desk.ask(resolver, "\(number)") }
        #expect(eventually { desk.busiest.withLock { $0.now } == 3 })
        for _ in 0..<20 { desk.gate.signal() }
        #expect(eventually { desk.answered.withLock { $0.count } == 20 })
        #expect(desk.busiest.withLock { $0.most } == 3)
        #expect(eventually { resolver.threadCount == 0 })
    }

    @Test func `what is cancelled is not looked up, and says nothing`() {
        let desk = Desk()
        let resolver = desk.resolver(1)
        let requests = (0..<3).map { desk.ask(resolver, "\($0)") }
        #expect(eventually { desk.busiest.withLock { $0.now } == 1 })
        requests[0].cancel()
        requests[1].cancel()
        for _ in 0..<3 { desk.gate.signal() }
        #expect(eventually { resolver.threadCount == 0 })
        #expect(desk.looked.withLock { $0 } == ["0", "2"] && desk.answered.withLock { $0 } == ["2"])
    }

    @Test func `beyond the queue's bound a request fails at once`() {
        let desk = Desk()
        let resolver = desk.resolver(1, queueLimit: 1)
        _ = desk.ask(resolver, "under way")
        #expect(eventually { desk.busiest.withLock { $0.now } == 1 })
        _ = desk.ask(resolver, "waiting")
        _ = desk.ask(resolver, "too many")
        #expect(desk.answered.withLock { $0 } == ["too many names are being resolved"])
        for _ in 0..<2 { desk.gate.signal() }
        #expect(eventually { resolver.threadCount == 0 })
    }

    @Test func `the system knows addresses and loopback, and says what it does not know`() {
        guard case .addresses(let addresses) = Resolution.ofSystem("127.0.0.1", 80) else {
            Issue.record("127.0.0.1 is an address")
            return
        }
        #expect(addresses.map(\.description) == ["127.0.0.1:80"])
        guard case .failed(let reason) = Resolution.ofSystem("no-such-host.invalid", 80) else {
            Issue.record("the domain invalid has no hosts (RFC 6761)")
            return
        }
        #expect(!reason.isEmpty)
    }
}
