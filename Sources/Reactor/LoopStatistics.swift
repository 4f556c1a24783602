internal import Synchronization

/// What one loop has done since it was made. Written by the loop, readable from any thread at any time; each value is
/// exact, together they are no snapshot.
public final class LoopStatistics: Sendable {
    /// Turns of the loop.
    public let turns = Counter()
    /// Operations that sent something: fewer than messages, when corking works.
    public let sendSubmissions = Counter()
    /// Bytes received, also those thrown away behind a close.
    public let bytesIn = Counter()
    /// Bytes that the kernel has taken.
    public let bytesOut = Counter()
    /// Connections accepted by this loop, also those that it handed to others.
    public let accepted = Counter()
    /// Connections that belong to this loop now.
    public let open = Counter()
    /// Receives that found no buffer.
    public let bufferStarvations = Counter()
    /// TLS handshakes that were done.
    public let handshakes = Counter()
    /// TLS handshakes that went on with an earlier session; `handshakes` counts them, too.
    public let resumptions = Counter()
    /// TLS handshakes that failed, were given up by the peer, or took too long.
    public let handshakeFailures = Counter()
    /// Wake-ups of other loops that slept when this one posted to them: at most one for each loop and turn.
    public let wakeUps = Counter()

    /// How long turns took, without their waits, in nanoseconds.
    public let turnTimes = LoopHistogram(bounds: LoopStatistics.turnTimeBounds)
    /// The shares of the time, in millionths, that the loop's thread was on a processor: one for each second.
    public let busyShares = LoopHistogram(bounds: LoopStatistics.busyShareBounds)
    /// The processor time of the loop's thread in nanoseconds, as of its last turn that began a second or more behind
    /// the one before.
    public let processorTime = Counter()

    private static let turnTimeBounds = [
        10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000,
        50_000_000, 100_000_000, 250_000_000, 1_000_000_000,
    ]
    private static let busyShareBounds = [
        50_000, 100_000, 200_000, 300_000, 400_000, 500_000, 600_000, 700_000, 800_000, 900_000, 950_000, 1_000_000,
    ]

    init() {}
}

/// A number that any thread may read.
public final class Counter: Sendable {
    private let storage = Atomic<Int>(0)

    /// Starts at 0.
    public init() {}

    /// The number at this moment. Any thread; one load.
    public var value: Int { storage.load(ordering: .relaxed) }

    /// For a counter that one thread alone writes: two plain instructions.
    @inline(__always)
    package func add(_ amount: Int) {
        storage.store(storage.load(ordering: .relaxed) &+ amount, ordering: .relaxed)
    }

    /// For a counter that several threads write, by each of them.
    package func addShared(_ amount: Int) {
        storage.wrappingAdd(amount, ordering: .relaxed)
    }
}
