import Logging
import PubSub
import Reactor
import Synchronization
import WebSocketProtocol

/// What the server, its loops and its references share. Everything here may be used from any thread.
///
/// It keeps no handler: references keep it, and handlers keep references.
final class SocketCore: Sendable {
    let configuration: ServerConfiguration
    let registry: TopicRegistry
    let presence: PresenceList
    /// The way to other nodes; nil for a server that is none of a cluster, and for clients.
    let cluster: ClusterLink?
    let ledger: ConnectionLedger
    /// What clients' names are looked up by.
    let resolver: Resolver
    private let stopFlag = Atomic<Bool>(false)
    private let runFlag = Atomic<Bool>(false)
    /// The loops' counters, by their indices.
    let counters: [PublishedCounters]
    /// The beginning of `WebSocket.id`, by which ids differ from those of other servers.
    let tag = String(UInt32.random(in: .min ... .max), radix: 16)
    /// The compressors of publishers that are no loops.
    let foreignCompression = ForeignCompression()
    private let shared: Mutex<Shared>

    private struct Shared {
        var stopPlan: StopPlan
        /// The loops, while they can be reached.
        var group: LoopGroup?
        weak var server: Server?
    }

    init(
        configuration: ServerConfiguration, loopCount: Int, resolver: Resolver = .shared, cluster: ClusterLink? = nil
    ) {
        self.configuration = configuration
        self.resolver = resolver
        self.cluster = cluster
        configuration.slowConsumerPolicy.check()
        ledger = ConnectionLedger(configuration.limits)
        presence = PresenceList(
            limit: configuration.limits.presencePerTopic, isTold: configuration.presence != nil)
        let remembers = cluster?.history != nil
        registry = TopicRegistry(
            loopCount: loopCount, retainedTopics: configuration.limits.retainedTopics,
            retainedBytes: configuration.limits.retainedBytes, historyBytes: configuration.limits.historyBytes,
            policy: { configuration.policyWord(of: $0, remembers: remembers) },
            history: { configuration.historyRule(of: $0, remembers: remembers) },
            interestChanged: cluster?.interestChanged)
        counters = (0..<loopCount).map { _ in PublishedCounters() }
        let plan = StopPlan(code: .goingAway, reason: "", timing: configuration.stop)
        shared = Mutex(Shared(stopPlan: plan))
    }

    var stopPlan: StopPlan {
        get { shared.withLock { $0.stopPlan } }
        set { shared.withLock { $0.stopPlan = newValue } }
    }

    /// Whether `stop` was called: no upgrade is accepted any more, no connection is kept for another request. Loops
    /// begin to stop a little later, when they have handled what was posted before.
    var hasBeenStopped: Bool { stopFlag.load(ordering: .acquiring) }

    /// Notes that `stop` is called; true for the first call.
    func noteStop() -> Bool { !stopFlag.exchange(true, ordering: .acquiringAndReleasing) }

    /// Notes that `run` is called; true for the first call.
    func noteRun() -> Bool { !runFlag.exchange(true, ordering: .acquiringAndReleasing) }

    var group: LoopGroup? {
        get { shared.withLock { $0.group } }
        set { shared.withLock { $0.group = newValue } }
    }

    /// The server, as long as somebody keeps it; nil for a group of clients. Costs a lock.
    var server: Server? {
        get { shared.withLock { $0.server } }
        set { shared.withLock { $0.server = newValue } }
    }

    /// The loop of this server that the calling thread runs; nil on any other thread.
    var currentLoop: SocketLoop? {
        guard let handler = LoopGroup.currentLoop?.installedHandler as? SocketLoop, handler.core === self else {
            return nil
        }
        return handler
    }

    /// Hands a message to a loop: through the calling loop's own lane if there is one, so that what one loop says to
    /// another arrives in order.
    /// - Returns: false if the loop cannot take it; what the message carries is given back then.
    func post(_ message: LoopMessage, to target: Int) -> Bool {
        let packed = message.pack()
        let accepted =
            if let current = currentLoop {
                current.eventLoop.post(packed, to: target)
            } else {
                group?.post(foreign: packed, to: target) ?? false
            }
        if !accepted { LoopMessage(unpacking: packed).forget() }
        return accepted
    }

    /// Whether so much waits of what the calling loop, or any thread that is none, has posted to a loop that it should
    /// post less.
    func isPastWatermark(of target: Int) -> Bool {
        if let current = currentLoop { return current.eventLoop.isPastWatermark(of: target) }
        return group?.isPastWatermark(of: target) ?? false
    }

    /// Runs a job on a loop: at once if the caller is on it, else soon, in the order of what the caller posts; without
    /// one if the loop has ended. Never refused: who lets a socket close or read again is not asked to repeat it.
    func run(_ job: LoopJob, on target: Int) {
        if let current = currentLoop {
            guard current.eventLoop.index != target else { return job.run(on: current) }
            return current.eventLoop.postUrgent(LoopMessage.job(job).pack(), to: target)
        }
        guard let group else { return job.run(on: nil) }
        let executor = group.executor(of: target)
        if !executor.hasWorkBehindMessages, post(.job(job), to: target) { return }
        executor.executeBehindMessages { [self] in job.run(on: currentLoop) }
    }

    /// Asks a loop something, in a turn of its own; nil instead of the loop once it has ended.
    func ask<Answer: Sendable>(
        _ target: Int, _ question: @escaping @Sendable (SocketLoop?) -> Answer
    ) async -> Answer {
        await withCheckedContinuation { continuation in
            run(LoopJob { continuation.resume(returning: question($0)) }, on: target)
        }
    }

    func log(_ level: Logger.Level, _ message: @autoclosure () -> String, _ metadata: Logger.Metadata? = nil) {
        configuration.logger.log(level: level, "\(message())", metadata: metadata)
    }
}

/// What sockets are told when the server stops. Times in milliseconds.
struct StopPlan: Sendable {
    var code: CloseCode
    var reason: String
    var window: UInt64
    var deadline: UInt64

    init(code: CloseCode, reason: String, timing: StopTiming) {
        self.code = code
        self.reason = reason
        window = timing.window.milliseconds
        deadline = timing.deadline.milliseconds
    }
}
