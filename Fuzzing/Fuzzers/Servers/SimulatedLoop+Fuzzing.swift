import Logging
import Reactor
import SimulatedKernel

@testable import Ringcast

extension SimulatedLoop {
    /// Few and small buffers and lanes: each input has a loop of its own, which has to be made quickly.
    static func forFuzzing(
        seed: UInt64? = nil, makeHandler: (EventLoop) -> any ConnectionHandler
    ) -> SimulatedLoop {
        var options = SimulatedDriver.Options()
        options.smallBuffers = (count: 6, byteCount: 512)
        options.largeBuffers = (count: 2, byteCount: 4096)
        options.seed = seed
        var room = MailboxRoom()
        (room.lane, room.foreignLane) = (16, 16)
        let clock = VirtualClock()
        let group = GroupState(
            loopCount: 1, placement: .kernel, room: room, clock: { _ in clock.milliseconds }, meter: .off)
        return SimulatedLoop(index: 0, group: group, clock: clock, options, makeHandler: makeHandler)
    }
}

extension SocketCore {
    /// Names stay unanswered, and nothing is logged.
    static func forFuzzing(
        _ change: (inout ServerConfiguration) -> Void = { _ in },
        fetch: @escaping Fetch = { _ in .response(.notFound) }
    ) -> SocketCore {
        var configuration = ServerConfiguration(port: 0)
        configuration.logger = Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() }
        change(&configuration)
        return SocketCore(
            configuration: configuration, loopCount: 1, resolver: Resolver(threadLimit: 0), fetch: fetch)
    }
}
