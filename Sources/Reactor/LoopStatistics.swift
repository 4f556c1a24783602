internal import Synchronization

/// What one loop has done since it was made. Written by the loop, readable from any thread at any time; each value is
/// exact, together they are no snapshot.
///
/// All of it but the histograms lies in one piece with a cache line's room on either side: what a loop writes for each
/// message is on no line that another loop writes to, or another loop's counters are on.
public final class LoopStatistics: Sendable {
    private let roomBefore = CacheLine()
    /// Turns of the loop.
    public let turns = LoopCounter()
    /// Operations that sent something: fewer than messages, when corking works.
    public let sendSubmissions = LoopCounter()
    /// Bytes received, also those thrown away behind a close.
    public let bytesIn = LoopCounter()
    /// Bytes that the kernel has taken.
    public let bytesOut = LoopCounter()
    /// Connections accepted by this loop, also those that it handed to others.
    public let accepted = LoopCounter()
    /// Connections that belong to this loop now.
    public let connections = LoopCounter()
    /// Receives that found no buffer.
    public let bufferStarvations = LoopCounter()
    /// TLS handshakes that were done.
    public let handshakes = LoopCounter()
    /// TLS handshakes that went on with an earlier session; `handshakes` counts them, too.
    public let resumptions = LoopCounter()
    /// TLS handshakes that failed, were given up by the peer, or took too long.
    public let handshakeFailures = LoopCounter()
    /// Wake-ups of other loops that slept when this one posted to them: at most one for each loop and turn.
    public let wakeUps = LoopCounter()
    /// The processor time of the loop's thread in nanoseconds, as of its last turn that began a second or more behind
    /// the one before.
    public let processorNanoseconds = LoopCounter()
    private let roomBehind = CacheLine()

    /// How long turns took, without their waits, in nanoseconds.
    public let turnTimes = LoopHistogram(bounds: LoopStatistics.turnTimeBounds)
    /// The shares of the time, in millionths, that the loop's thread was on a processor: one for each second.
    public let busyShares = LoopHistogram(bounds: LoopStatistics.busyShareBounds)

    private static let turnTimeBounds = [
        10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000,
        50_000_000, 100_000_000, 250_000_000, 1_000_000_000,
    ]
    private static let busyShareBounds = [
        50_000, 100_000, 200_000, 300_000, 400_000, 500_000, 600_000, 700_000, 800_000, 900_000, 950_000, 1_000_000,
    ]

    init() {}
}
