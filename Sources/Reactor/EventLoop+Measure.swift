/// What a loop measures of itself. A turn costs two readings of the clock (some 20 ns each); how busy the loop is costs
/// a system call a second.
///
/// A turn's time is that between two waits: what handlers do, and what the loop does for them. How busy a loop is
/// cannot be told from that, since on io_uring sends are done inside of the wait: it is the processor time of the
/// thread.
extension EventLoop {
    /// So long (ms) is the time that a share is measured over, or longer where the loop sleeps.
    private static let shareInterval: UInt64 = 1_000
    /// What a share is counted in.
    package static let shareUnit = 1_000_000

    /// Called behind the wait, once the clock has been read.
    func measureBeginsTurn() {
        state.turnStart = meter.nanoseconds
        if now - state.shareStart >= Self.shareInterval { noteShare() }
    }

    /// Called before the wait: the turn's work is done.
    func measureEndsTurn() {
        guard state.turnStart > 0 else { return }
        statistics.turnTimes.record(Int(meter.nanoseconds &- state.turnStart))
    }

    /// Counts the share of the time that has passed once for each second of it, so that a long sleep weighs as much as
    /// it lasted.
    private func noteShare() {
        let elapsed = now - state.shareStart
        let processorNanoseconds = meter.processorNanoseconds
        let busy = Int(processorNanoseconds &- state.shareProcessorTime)
        state.shareStart = now
        state.shareProcessorTime = processorNanoseconds
        statistics.processorNanoseconds.add(busy)
        // Nanoseconds in milliseconds are millionths, the unit.
        let share = min(busy / Int(clamping: elapsed), Self.shareUnit)
        statistics.busyShares.record(share, times: Int(elapsed / Self.shareInterval))
    }
}

/// The clocks that loops measure themselves by.
package enum LoopMeter: Sendable {
    case system
    /// Time stands still: where it is not to be measured, or virtual.
    case off

    @inline(__always)
    var nanoseconds: UInt64 { self == .system ? MonotonicClock.nanoseconds : 0 }

    var processorNanoseconds: UInt64 { self == .system ? MonotonicClock.processorNanoseconds : 0 }
}
