/// How a group of loops is set up.
public struct LoopGroupConfiguration: Sendable {
    /// How many loops there are.
    public var loops: LoopCount
    /// Whether each loop's thread is bound to a processor of its own; nil binds them if there are as many loops as
    /// processors that the process may run on. Fewer loops, by choice or by a container's quota, share the machine with
    /// other processes, and all of those would be bound to the same processors.
    public var pinsThreads: Bool?
    /// Where to listen. Each loop has a socket of its own for each address; a Unix socket, and one that was handed
    /// over, belongs to one of them.
    public var listeners: [ListenerConfiguration]
    /// Which loop a new connection belongs to.
    public var placement: ConnectionPlacement
    /// How the loops talk to the kernel.
    public var driver: DriverChoice
    /// Whether busy loops wait for more work.
    public var coalescing: Coalescing
    /// Whether loops measure how long their turns take and how busy they are, which costs two readings of the clock per
    /// turn.
    public var measuresTurns = true
    /// Where the loops say what an operator should know; see `LogSink` for its threads.
    public var log: LogSink

    /// By default: a loop per core, pinned unless a quota allows fewer, and nothing to listen on.
    public init(
        loops: LoopCount = .perCore, pinsThreads: Bool? = nil, listeners: [ListenerConfiguration] = [],
        placement: ConnectionPlacement = .kernel, driver: DriverChoice = .automatic,
        coalescing: Coalescing = .off, log: @escaping LogSink = { _, _ in }
    ) {
        self.loops = loops
        self.pinsThreads = pinsThreads
        self.listeners = listeners
        self.placement = placement
        self.driver = driver
        self.coalescing = coalescing
        self.log = log
    }
}

extension LoopGroupConfiguration {
    /// How many loops a group of this configuration will have.
    package func resolvedLoopCount() throws(ReactorError) -> Int { try LoopPlan(self).loopCount }
}

/// How many loops a group has.
@nonexhaustive public enum LoopCount: Hashable, Sendable {
    /// One for each processor that the process may run on, fewer where a cgroup's quota is lower.
    case perCore
    /// A number of loops: 1 to 1024.
    case count(Int)
}

/// Which loop a new connection belongs to.
@nonexhaustive public enum ConnectionPlacement: Hashable, Sendable {
    /// The one whose listener the kernel chose, by a hash of the addresses; as `balanced` for a Unix socket, and for
    /// one that was handed over.
    case kernel
    /// The one with the fewest connections.
    case balanced
}

/// How loops talk to the kernel.
@nonexhaustive public enum DriverChoice: Hashable, Sendable {
    /// io_uring where a ring can be set up and passes its self-test, else epoll. One line of the log, at `notice`, says
    /// which, and who refuses io_uring.
    case automatic
    /// io_uring or an error.
    case uring
    /// epoll: for containers whose seccomp profile forbids io_uring, for older kernels, and to compare.
    case epoll
}
