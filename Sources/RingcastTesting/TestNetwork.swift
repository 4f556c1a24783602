internal import Ringcast
internal import SimulatedKernel

/// The network between a `TestServer` and its clients, in memory: it loses nothing, keeps the order of each
/// connection's bytes, and takes the time that the test says. Used by the task that uses the server.
public final class TestNetwork {
    /// How long what is sent is under way, in each direction, from now on; what is under way already is neither hurried
    /// nor overtaken. Zero, as it is at first: everything arrives at once. In whole milliseconds.
    ///
    /// `connect` and `request` let as much time pass as their bytes need; what else is sent arrives when the test lets
    /// time pass.
    public var delay = Duration.zero

    let group: SimulatedGroup
    let clock: TestClock
    private var connections: [TestConnection] = []
    /// What is under way, by the time of its arrival.
    private var deliveries: [Delivery] = []

    private struct Delivery {
        let time: UInt64
        let arrive: () -> Void
    }

    /// So long (ms) a client waits for its answer while something is under way.
    private static let patience: UInt64 = 600_000

    init(_ group: SimulatedGroup, _ clock: TestClock) {
        self.group = group
        self.clock = clock
    }

    var now: UInt64 { group.clock.milliseconds }

    func add(_ connection: TestConnection) { connections.append(connection) }

    /// Has something arrive when it has taken its way.
    /// - Parameter last: when what was sent before the same way arrives; it is not overtaken.
    func send(behind last: inout UInt64, _ arrive: @escaping () -> Void) {
        last = max(last, now + delay.milliseconds)
        let isFirst = deliveries.first.map { $0.time > now } ?? true
        if last <= now, isFirst { return arrive() }
        let place = deliveries.firstIndex { [last] in $0.time > last } ?? deliveries.endIndex
        deliveries.insert(Delivery(time: last, arrive: arrive), at: place)
    }

    /// Lets everybody do what is to be done, without time passing.
    func rest() {
        for _ in 0..<100_000 {
            group.rest()
            var isQuiet = true
            while let first = deliveries.first, first.time <= now {
                deliveries.removeFirst()
                first.arrive()
                isQuiet = false
            }
            for connection in connections where connection.collect() { isQuiet = false }
            if isQuiet { return connections.removeAll(where: \.isOver) }
        }
        preconditionFailure("the server and its clients do not come to rest")
    }

    /// Lets time pass, from one moment at which something happens to the next.
    func advance(milliseconds: UInt64) {
        rest()
        let end = now + milliseconds
        while now < end {
            let arrival = deliveries.first.map { $0.time - now } ?? .max
            group.clock.advance(max(1, min(end - now, group.timeToNextWake, clock.timeToNextWake, arrival)))
            clock.wake()
            rest()
        }
    }

    /// Lets time pass while something is under way, until `condition` holds. Returns whether it does.
    func pass(until condition: () -> Bool) -> Bool {
        rest()
        let start = now
        while !condition() {
            guard let next = deliveries.first, now - start < Self.patience else { return false }
            advance(milliseconds: next.time - now)
        }
        return true
    }

    /// Serves in real time, which goes on outside of the test, until `condition` holds. Virtual time stands still but
    /// for what is under way.
    func serve(
        within timeout: Duration, isolation: isolated (any Actor)?, until condition: () -> Bool
    ) async throws {
        let end = ContinuousClock.now + timeout
        var rounds = 0
        while !pass(until: condition) {
            try Task.checkCancellation()
            guard ContinuousClock.now < end else { throw TestClientError.timedOut }
            rounds += 1
            if rounds < 100 { await Task.yield() } else { try await Task.sleep(for: .milliseconds(1)) }
        }
    }

    /// Lets go of all clients: each keeps its network, and would be kept by it.
    func end() {
        connections = []
        deliveries = []
        group.finish()
    }
}
