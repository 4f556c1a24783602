import Glibc
import LoadTesting
import Synchronization

/// One line on standard error that tells how a load goes. Nothing where standard error is no terminal.
final class ProgressDisplay: Sendable {
    private struct State {
        var line: ProgressLine
        var drawnAt: ContinuousClock.Instant?
    }

    private let state: Mutex<State>
    private let isTerminal: Bool
    private let isColoured: Bool

    /// The time from one drawing to the next: faster than one can read, slower than one can see.
    private static let interval = Duration.milliseconds(200)

    init(workload: Workload, label: String) {
        state = Mutex(State(line: ProgressLine(workload: workload, label: label)))
        // A dumb terminal cannot draw over a line.
        isTerminal = isatty(STDERR_FILENO) == 1 && Self.environment("TERM").map { $0 != "dumb" } ?? false
        // https://no-color.org
        isColoured = (Self.environment("NO_COLOR") ?? "").isEmpty
    }

    func show(_ phase: ProgressLine.Phase, _ row: TimeSeries.Row, open: Int) {
        guard isTerminal else { return }
        let text: String? = state.withLock { state in
            state.line.add(row)
            let now = ContinuousClock.now
            if let drawnAt = state.drawnAt, drawnAt.duration(to: now) < Self.interval { return nil }
            state.drawnAt = now
            return state.line.text(phase, open: open, columns: columns, isColoured: isColoured)
        }
        if let text { write(text, to: STDERR_FILENO) }
    }

    func clear() {
        guard isTerminal, state.withLock({ $0.drawnAt != nil }) else { return }
        write(ProgressLine.cleared, to: STDERR_FILENO)
    }

    /// How wide the terminal is at this moment.
    private var columns: Int {
        var size = winsize()
        // Safe: the pointer is used during the call only.
        guard unsafe ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    private static func environment(_ name: String) -> String? {
        // Safe: nothing here changes the environment.
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }
}
