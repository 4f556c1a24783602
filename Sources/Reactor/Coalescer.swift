/// Decides when a loop waits for more than one completion.
///
/// It counts completions in windows of 16 ms. *Busy* means that several of them come in the time of the delay: then the
/// loop waits for them in the next window. If they come more slowly because they are waited for (peers that ask again
/// only when they are answered), waiting is of no use: it pauses, each time twice as long, a second at most.
struct Coalescer {
    /// Completions within the delay that are worth a wait.
    static let worthwhile = 4.0
    /// Completions with which a wait ends early.
    static let enough = 32
    private static let window: UInt64 = 16
    private static let longestPause = 64

    let microseconds: UInt32
    private(set) var isBusy = false
    private var windowStart: UInt64
    private var count = 0
    /// Completions in the time of the delay, in the last window in which nothing was waited for.
    private var usual = 0.0
    /// Windows until waiting is tried again, and how many the next pause will have.
    private var pause = 0
    private var nextPause = 1

    init(microseconds: UInt32, now: UInt64) {
        self.microseconds = microseconds
        windowStart = now
    }

    /// A turn has brought so many completions.
    mutating func noteTurn(_ completions: Int, now: UInt64) {
        count += completions
        guard now >= windowStart + Self.window else { return }
        decide(Double(count) * Double(microseconds) / Double((now - windowStart) * 1_000))
        (windowStart, count) = (now, 0)
    }

    private mutating func decide(_ measured: Double) {
        if !isBusy {
            usual = measured
            pause = max(pause - 1, 0)
            isBusy = pause == 0 && measured >= Self.worthwhile
        } else if measured >= Self.worthwhile, measured >= usual * 0.75 {
            nextPause = 1
        } else {
            isBusy = false
            pause = nextPause
            nextPause = min(nextPause * 2, Self.longestPause)
        }
    }
}

extension EventLoop {
    /// Sets the longest wait for more, where the driver can do that; nil switches it off.
    package func coalesce(microseconds: UInt32?) {
        guard driver.gathersCompletions else { return }
        state.coalescer = microseconds.map { Coalescer(microseconds: $0, now: now) }
    }

    /// Waits as `Driver.wait` does, and for more if that is worth it: not while something is ready, and not beyond the
    /// loop's next deadline.
    func waitCoalescing(milliseconds: UInt64?) {
        guard let coalescer = state.coalescer, coalescer.isBusy, milliseconds != 0 else {
            return driver.wait(milliseconds: milliseconds)
        }
        // No delay is longer than 100 ms.
        let microseconds = min(coalescer.microseconds, UInt32(min(milliseconds ?? 100, 100)) * 1_000)
        driver.wait(milliseconds: milliseconds, gathering: Coalescer.enough, microseconds: microseconds)
    }
}
