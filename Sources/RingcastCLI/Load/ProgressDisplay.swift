import Glibc
import LoadTesting
import Synchronization

/// One line on standard error that tells how a load goes. Nothing where standard error is no terminal.
final class ProgressDisplay: Sendable {
    private let line: Mutex<ProgressLine>
    private let workload: Workload
    private let label: String
    private let isTerminal = isatty(STDERR_FILENO) == 1

    init(workload: Workload, label: String) {
        (self.workload, self.label) = (workload, label)
        line = Mutex(ProgressLine(workload: workload))
    }

    func show(_ phase: ProgressLine.Phase, _ row: TimeSeries.Row, open: Int) {
        guard isTerminal else { return }
        let text = label + ProgressLine.text(phase, row, open: open, workload: workload)
        write(line.withLock { $0.replacing(by: text) }, to: STDERR_FILENO)
    }

    func clear() {
        guard isTerminal else { return }
        write(line.withLock { $0.clear() }, to: STDERR_FILENO)
    }
}
