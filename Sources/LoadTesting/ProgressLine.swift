/// The line that a terminal shows while a load runs, and what it has to remember for that.
package struct ProgressLine: Sendable {
    package enum Phase: Equatable, Sendable {
        case connecting(of: Int)
        case warmingUp(secondsLeft: Double, of: Double)
        case measuring(secondsLeft: Double, of: Double)
        case finishing
    }

    private let workload: Workload
    /// Which of several runs it is; stands in front of the line.
    private let label: String
    /// The intervals of about the last second: nobody can read figures that change ten times a second.
    private var recent: [TimeSeries.Row] = []
    private var errors = 0
    private var lost = 0

    package init(workload: Workload, label: String = "") { (self.workload, self.label) = (workload, label) }

    /// Takes in what happened in an interval; to be called for every one.
    package mutating func add(_ row: TimeSeries.Row) {
        errors += row.counters.errors + row.counters.failedConnections
        lost += row.counters.lost
        recent.append(row)
        var seconds = recent.reduce(0) { $0 + $1.seconds }
        while recent.count > 1, seconds - recent[0].seconds > 0.99 {
            seconds -= recent[0].seconds
            recent.removeFirst()
        }
    }

    /// The characters that draw the line over the one before it: at most `columns` wide, so that it does not wrap.
    /// Where there is little room, parts that matter least are left out.
    package func text(_ phase: Phase, open: Int, columns: Int, isColoured: Bool) -> String {
        let parts = parts(phase, open: open)
        var room = columns - 1
        var chosen: Set<Int> = []
        for index in parts.indices.sorted(by: { parts[$0].rank < parts[$1].rank }) {
            let width = parts[index].width + (chosen.isEmpty ? 0 : 2)
            guard width <= room else { continue }
            room -= width
            chosen.insert(index)
        }
        let pieces = parts.indices.filter(chosen.contains).map { index in
            parts[index].show(stretchedBy: room, isColoured: isColoured)
        }
        return "\r" + pieces.joined(separator: "  ") + "\u{1B}[K"
    }

    /// The characters that remove the line.
    package static let cleared = "\r\u{1B}[K"

    /// All parts that could be shown, from left to right.
    private func parts(_ phase: Phase, open: Int) -> [ProgressPart] {
        let trouble = [
            errors > 0 ? ProgressPart("\(Units.show(count: Double(errors))) errors", rank: 2, colour: .red) : nil,
            lost > 0 ? ProgressPart("\(Units.show(count: Double(lost))) lost", rank: 3, colour: .red) : nil,
        ].compactMap { $0 }
        let name = { (name: String) in ProgressPart(label + name, rank: 0, colour: .bold) }
        switch phase {
        case .connecting(let all):
            let share = all > 0 ? Double(open) / Double(all) : 0
            return [name("connecting"), .bar(share, rank: 4), ProgressPart("\(open) of \(all)", rank: 1)] + trouble
        case .finishing: return [name("finishing"), ProgressPart("waiting for the last answers", rank: 4)] + trouble
        case .warmingUp(let left, let all):
            return [name("warming up"), .bar(Self.share(left, all), rank: 6), time(left)] + figures(open) + trouble
        case .measuring(let left, let all):
            return [name(workload.rawValue), .bar(Self.share(left, all), rank: 6), time(left)] + figures(open) + trouble
        }
    }

    private static func share(_ left: Double, _ all: Double) -> Double { all > 0 ? 1 - left / all : 1 }

    private func time(_ left: Double) -> ProgressPart {
        ProgressPart("\(Units.show(wait: left)) left", rank: 1, width: 9)
    }

    private func figures(_ open: Int) -> [ProgressPart] {
        let connections = ProgressPart("\(open) open", rank: workload == .idle ? 2 : 8)
        guard workload != .idle else { return [connections] }
        let seconds = recent.reduce(0) { $0 + $1.seconds }
        let rate = seconds > 0 ? Double(recent.reduce(0) { $0 + $1.counters.received }) / seconds : 0
        var parts = [ProgressPart("\(Units.show(count: rate))/s", rank: 4, width: 7)]
        let latencies = recent.compactMap(\.latency)
        // The middle of the intervals' middles, and the worst of their ends.
        if let p50 = Spread(latencies.map(\.p50))?.median, let p99 = latencies.map(\.p99).max() {
            parts.append(ProgressPart("p50 \(Units.show(microseconds: p50))", rank: 7, width: 11))
            parts.append(ProgressPart("p99 \(Units.show(microseconds: p99))", rank: 5, width: 11))
        }
        return parts + [connections]
    }
}
