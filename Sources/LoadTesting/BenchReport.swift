/// Repeated runs of one load, and what they have in common.
package struct BenchReport: Sendable {
    /// Figures of which a report has the spread: the path to each in a result's JSON, and whether more is better.
    package static let figures: [(name: String, path: [String], moreIsBetter: Bool)] = [
        ("messages_per_second", ["messages_per_second"], true),
        ("deliveries_per_second", ["deliveries_per_second"], true),
        ("server_cpu_seconds_per_million", ["server_cpu_seconds_per_million"], false),
        ("server_cpu_user_seconds_per_million", ["server_cpu_user_seconds_per_million"], false),
        ("server_cpu_system_seconds_per_million", ["server_cpu_system_seconds_per_million"], false),
        ("p50_us", ["latency_us", "p50"], false),
        ("p99_us", ["latency_us", "p99"], false),
        ("p999_us", ["latency_us", "p999"], false),
        ("resident_bytes_each", ["connections", "resident_bytes_each"], false),
    ]

    /// Results as JSON, each the same load.
    package let runs: [JSON]

    package init(runs: [JSON]) { self.runs = runs }

    package var spreads: [(name: String, spread: Spread)] {
        Self.figures.compactMap { figure in
            let values = runs.compactMap { run in figure.path.reduce(Optional(run)) { $0?[$1] }?.number }
            return Spread(values).map { (figure.name, $0) }
        }
    }

    package var json: JSON {
        .members([
            ("workload", runs.first?["workload"] ?? .null),
            ("parameters", runs.first?["parameters"] ?? .null),
            ("repeats", .number(Double(runs.count))),
            ("summary", .members(spreads.map { ($0.name, $0.spread.json) })),
            ("runs", .array(runs)),
        ])
    }

    package var text: String {
        let workload = runs.first?["workload"]?.string ?? ""
        let lines = spreads.filter { $0.spread.most > 0 }.map { name, spread in
            "  \(pad(name, 38)) \(Units.significant(spread.median)) "
                + "(\(Units.significant(spread.least)) to \(Units.significant(spread.most)))"
        }
        return (["\(workload), median of \(runs.count) (least to most)"] + lines + troubles).joined(separator: "\n")
            + "\n"
    }

    /// What went wrong in all runs together; nothing if nothing did.
    private var troubles: [String] {
        let kinds = ["errors", "lost", "duplicated", "out_of_order", "unsent"]
        let counts = kinds.map { kind in runs.reduce(0) { $0 + ($1[kind]?.number ?? 0) } }
        let sentences = Set(runs.compactMap { $0["first_error"]?.string }).sorted().map { "  the first error: \($0)" }
        let told = zip(kinds, counts).filter { $1 > 0 }.map { "\($0) \(Units.fixed($1, 0))" }
        guard !told.isEmpty else { return sentences }
        return ["  in all runs: " + told.joined(separator: ", ")] + sentences
    }

    /// Compares two reports' JSON, B over A, a line per figure.
    /// - Throws: a sentence, if they are not reports, or not of the same load.
    package static func compare(_ a: JSON, _ b: JSON) throws(LoadFailure) -> String {
        guard let first = a["summary"], let second = b["summary"] else {
            throw LoadFailure("--compare takes two files written by `ringcast bench … --json > FILE`")
        }
        guard a["workload"] == b["workload"] else {
            throw LoadFailure(
                "these are not the same load: \(a["workload"]?.string ?? "?") and \(b["workload"]?.string ?? "?")")
        }
        let lines = figures.compactMap { figure -> String? in
            guard let before = Spread(json: first[figure.name]), let after = Spread(json: second[figure.name]),
                before.median > 0, after.median > 0
            else { return nil }
            return line(figure.name, before, after, moreIsBetter: figure.moreIsBetter)
        }
        var text = ["\(a["workload"]?.string ?? ""), B over A (medians)"] + lines
        if a["parameters"] != b["parameters"] { text.append("  note: the parameters differ") }
        return text.joined(separator: "\n") + "\n"
    }

    private static func line(_ name: String, _ before: Spread, _ after: Spread, moreIsBetter: Bool) -> String {
        let ratio = after.median / before.median
        let verdict = before.overlaps(after) ? "within the spread" : (ratio > 1) == moreIsBetter ? "better" : "worse"
        return "  \(pad(name, 38)) ×\(Units.fixed(ratio, 3))  \(Units.significant(before.median)) → "
            + "\(Units.significant(after.median))  \(verdict)"
    }
}

private func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
}
