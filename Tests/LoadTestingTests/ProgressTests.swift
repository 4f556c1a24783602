import Testing

@testable import LoadTesting

@Suite struct ProgressTests {
    private func row(received: Int = 0, errors: Int = 0, seconds: Double = 0.1, p99: Double = 1_000) -> TimeSeries.Row {
        var counters = LoadCounters()
        (counters.received, counters.errors) = (received, errors)
        var latency = LatencySummary()
        (latency.p50, latency.p99) = (500, p99)
        return TimeSeries.Row(at: 1, seconds: seconds, counters: counters, latency: latency, server: nil)
    }

    private func text(
        _ line: ProgressLine, _ phase: ProgressLine.Phase = .measuring(secondsLeft: 5, of: 10), columns: Int = 120
    ) -> String {
        line.text(phase, open: 64, columns: columns, isColoured: false)
    }

    @Test(arguments: [1, 10, 20, 40, 60, 80, 200])
    func `a line never reaches the edge of the terminal`(columns: Int) {
        var line = ProgressLine(workload: .fanout, label: "2/5 ")
        line.add(row(received: 123_456, errors: 7))
        for phase: ProgressLine.Phase in [
            .connecting(of: 1_000_000), .warmingUp(secondsLeft: 90_000, of: 90_000), .measuring(secondsLeft: 1, of: 3),
            .finishing,
        ] {
            let shown = text(line, phase, columns: columns)
            #expect(shown.hasPrefix("\r") && shown.hasSuffix("\u{1B}[K"))
            #expect(shown.dropFirst().dropLast(3).count < columns)
        }
    }

    @Test func `colours take no room`() {
        var line = ProgressLine(workload: .echo)
        line.add(row(received: 10, errors: 3))
        let phase = ProgressLine.Phase.measuring(secondsLeft: 5, of: 10)
        let coloured = line.text(phase, open: 1, columns: 70, isColoured: true)
        let plain = line.text(phase, open: 1, columns: 70, isColoured: false)
        #expect(coloured.replacing(/\u{1B}\[[0-9]+m/, with: "") == plain && coloured != plain)
    }

    @Test func `the bar is full when the time is over, and empty before`() {
        let line = ProgressLine(workload: .echo)
        let full = text(line, .measuring(secondsLeft: 0, of: 10))
        #expect(full.contains("━") && !full.contains("─"))
        let empty = text(line, .warmingUp(secondsLeft: 10, of: 10))
        #expect(empty.contains("─") && !empty.contains("━"))
        // Late, or nothing to wait for: no trap.
        #expect(text(line, .warmingUp(secondsLeft: -1, of: 0)).contains("warming up"))
    }

    @Test func `rates are of the last second, errors of all the time`() {
        var line = ProgressLine(workload: .echo)
        line.add(row(received: 900, errors: 2))
        for _ in 0..<10 { line.add(row(received: 50, errors: 0)) }
        #expect(text(line).contains("  500/s ") && text(line).contains("2 errors"))
    }

    @Test func `a stall within the last second shows in its p99`() {
        var line = ProgressLine(workload: .echo)
        line.add(row(received: 1, p99: 480_000))
        line.add(row(received: 1))
        #expect(text(line).contains("p99 480 ms"))
    }

    @Test func `what matters less is left out first`() {
        var line = ProgressLine(workload: .echo)
        line.add(row(received: 100))
        let narrow = text(line, columns: 40)
        #expect(narrow.contains("echo") && narrow.contains("5 s left") && narrow.contains("p99"))
        #expect(!narrow.contains("p50") && !narrow.contains("open"))
    }
}
