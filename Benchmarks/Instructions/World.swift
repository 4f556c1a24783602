import CSystemCalls
import Glibc
import Reactor
import Ringcast
import Synchronization
import SystemCalls

/// A server whose loops are turned here, each with a listener of its own on the loopback interface.
final class World {
    private let server: Server
    private let loops: [EventLoop]
    /// Only the first so many are turned: all others sleep.
    private let turnedCount: Int
    /// The port of each loop.
    let ports: [UInt16]
    private let clock: WorldClock
    /// Whether turns are counted.
    var counts = false

    init(loops loopCount: Int, turning turnedCount: Int, driver: String, tls: TLSConfiguration?) throws {
        let clock = WorldClock()
        let tls = try tls.map { try TLSServer($0) }
        let listeners = (0..<loopCount).map { _ in Listener() }
        let drivers = try (0..<loopCount).map { _ in try World.makeDriver(driver) }
        var loops: [EventLoop] = []
        var configuration = ServerConfiguration(port: 0)
        configuration.logger.logLevel = .critical
        server = try Server(
            configuration: configuration, loopCount: loopCount, application: try Application(Workload.routes)
        ) { setup in
            let group = GroupState(
                loopCount: loopCount, placement: .kernel, discard: setup.discard, clock: { _ in clock.milliseconds },
                meter: .off)
            loops = drivers.enumerated().map { index, driver in
                let executor = LoopExecutor(index: index, group: group)
                let loop = EventLoop(
                    index: index, driver: driver, group: group, executor: executor, log: setup.log,
                    clock: clock.milliseconds)
                loop.install(setup.makeHandler(loop))
                loop.listen(on: [LoopListener(descriptor: listeners[index].descriptor, tls: tls)])
                return loop
            }
            group.setAddresses(drivers.map(\.address))
            return LoopGroup(
                turning: loops.map(\.executor), of: group, driver: driver == "epoll" ? .epoll : .uring,
                addresses: [ListenerAddress(hostname: "127.0.0.1", port: Int(listeners[0].port))], log: setup.log)
        }
        self.loops = loops
        self.turnedCount = turnedCount
        self.clock = clock
        ports = listeners.map(\.port)
        for loop in loops { _ = loop.prepareToWait() }
    }

    private static func makeDriver(_ name: String) throws -> any Driver {
        name == "epoll" ? try EpollDriver() : try UringDriver(capabilities: try UringCapabilities.probe())
    }

    /// Lets a millisecond pass.
    func passTime() { clock.advance() }

    /// Turns once each loop that has to do with the workload. It has prepared to sleep before, as it has when others
    /// post to it.
    func turn() {
        for loop in loops[..<turnedCount] {
            unsafe ringcast_set_current_loop(Unmanaged.passUnretained(loop).toOpaque())
            if counts {
                countedTurn(of: loop)
            } else {
                // Not in a function that does the same: the compiler would make one of the two.
                loop.tick(waiting: 0)
                _ = loop.prepareToWait()
            }
        }
    }

    /// Turns until it is so, which what has been sent leads to in a few turns.
    func turn(until isSo: () -> Bool) {
        for _ in 0..<10_000 {
            if isSo() { return }
            turn()
        }
        fatalError("the server does not answer")
    }
}

/// `Scripts/instructions` has callgrind count from its beginning to its end, by its name.
@inline(never)
func countedTurn(of loop: EventLoop) {
    loop.tick(waiting: 0)
    _ = loop.prepareToWait()
}

/// Time that goes on when the program says so.
private final class WorldClock: Sendable {
    private let time = Atomic<UInt64>(1_000_000)
    var milliseconds: UInt64 { time.load(ordering: .relaxed) }
    func advance() { time.wrappingAdd(1, ordering: .relaxed) }
}
