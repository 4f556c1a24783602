import Glibc
import ReactorTesting
import SystemCalls

@testable import Reactor

/// A loop over real sockets and virtual time, turned by the test on its own thread: what the kernel does is real, and
/// how long it takes does not matter.
final class RealLoop {
    let clock = VirtualClock()
    let loop: EventLoop
    let port: Int
    private let handler: any ConnectionHandler

    init(_ handler: any ConnectionHandler) throws {
        let clock = clock
        let group = GroupState(loopCount: 1, placement: .kernel, clock: { _ in clock.milliseconds })
        let driver = try SelectedDriver(.automatic).make()
        loop = EventLoop(
            index: 0, driver: driver, group: group, executor: LoopExecutor(index: 0, group: group),
            log: { _, _ in }, clock: clock.milliseconds)
        self.handler = handler
        loop.install(handler)
        let socket = try ListenerSocket(ListenerConfiguration(hostname: "127.0.0.1", port: 0), loopCount: 1)
        port = socket.address.port
        loop.listen(on: [socket.share(of: 0, tls: nil)])
    }

    /// One turn, whose wait ends at once.
    func turn() {
        loop.driver.address.wakeUp.ring()
        loop.tick()
    }

    /// Turns until it is so; only a loop that hangs gives up.
    func turn(until isSo: () -> Bool) {
        for _ in 0..<60_000 where !isSo() {
            turn()
            usleep(1_000)
        }
        precondition(isSo(), "the loop does not get there")
    }

    /// Ends every connection, and the loop.
    func stop() {
        loop.stop()
        loop.cutConnections(at: clock.milliseconds)
        turn { loop.hasEnded }
        loop.finish()
    }
}
