import ArgumentParser
import Dispatch
import Glibc
import LoadTesting
import Ringcast
import UnixSignals

/// `ringcast top`: a running server, live in a terminal. What is shown is made by `TopView`, what is asked by
/// `PageRequest`.
struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Watch a running server: its loops side by side, rates, drops by reason, topics, the cluster.",
        discussion: """
            Any server whose metrics are Ringcast's can be watched; `ringcast serve` has them at /metrics, for this \
            machine alone unless --open is given. Its busiest and slowest topics, and the nodes of its cluster, are \
            shown where /stats, beside the metrics, tells of them. Ctrl-C ends it. Where standard output is no \
            terminal, one look is printed.
            """)

    @Argument(help: "Where: http://host:port, with the path of its metrics if that is not /metrics.")
    var url = "http://127.0.0.1:3000"

    @Option(help: ArgumentHelp("The time between two looks.", valueName: "seconds"))
    var interval = 1.0

    func validate() throws {
        guard interval >= 0.1, interval <= 3_600 else { throw ValidationError("--interval is 0.1 to 3600 seconds") }
    }

    func run() async throws {
        let address: WebSocketURL
        do { address = try WebSocketURL(url) } catch { throw CommandFailure(error.description) }
        let pages = (metrics: try PageRequest(address), statistics: try PageRequest(address, beside: "stats"))
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        let screen = Screen()
        // Whatever ends it, the terminal is as it was before.
        defer { screen.leave() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in signals { return } }
            group.addTask { try await watch(pages, on: screen) }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private typealias Pages = (metrics: PageRequest, statistics: PageRequest)

    private func watch(_ pages: Pages, on screen: Screen) async throws {
        var before = try await look(pages, hasStatistics: true)
        repeat {
            do { try await Task.sleep(for: .seconds(interval)) } catch { return }
            // Who did not tell of topics is not asked again.
            let now = try await look(pages, hasStatistics: before.topics != nil)
            let view = TopView(of: pages.metrics.place, before: before, now: now)
            screen.show(view.lines(columns: screen.columns, rows: screen.rows))
            before = now
        } while screen.isTerminal
    }

    private func look(_ pages: Pages, hasStatistics: Bool) async throws -> TopView.Look {
        let text = try await pages.metrics.get()
        let time = Double(DispatchTime.now().uptimeNanoseconds) / 1e9
        guard let page = MetricsPage(text), page.labels("loop", of: "ringcast_sockets").isEmpty == false else {
            throw CommandFailure("what \(pages.metrics.place) answers are no metrics of Ringcast's")
        }
        let statistics = hasStatistics ? try? await pages.statistics.get() : nil
        return TopView.Look(
            page: page, topics: statistics.flatMap { TopicReport(statistics: $0) },
            cluster: statistics.flatMap { ClusterReport(statistics: $0) }, time: time)
    }
}

/// The terminal, drawn over in place: on its second screen, so that what was there before comes back.
private struct Screen {
    let isTerminal = isatty(STDOUT_FILENO) == 1

    func show(_ lines: [String]) {
        guard isTerminal else { return write(lines.joined(separator: "\n") + "\n", to: STDOUT_FILENO) }
        // The second screen, no cursor, home; each line up to its end, and then the rest of the screen.
        let text = lines.map { $0 + "\u{1B}[K" }.joined(separator: "\r\n")
        write("\u{1B}[?1049h\u{1B}[?25l\u{1B}[H\(text)\u{1B}[J", to: STDOUT_FILENO)
    }

    func leave() {
        if isTerminal { write("\u{1B}[?25h\u{1B}[?1049l", to: STDOUT_FILENO) }
    }

    var columns: Int { size.map { Int($0.ws_col) } ?? 120 }
    var rows: Int { size.map { Int($0.ws_row) } ?? 50 }

    /// How large the terminal is at this moment.
    private var size: winsize? {
        var size = winsize()
        // Safe: the pointer is used during the call only.
        guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return nil
        }
        return size
    }
}
