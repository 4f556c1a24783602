import SystemCalls

/// Repeated runs of one load, and what they have in common.
package struct BenchReport: Encodable, Sendable {
    /// The figures of which a report has the spread.
    fileprivate static let figures: [Figure] = [
        .rate, .deliveries, .serverCPU, .serverUserCPU, .serverSystemCPU, .p50, .p99, .p999, .memoryEach,
    ]

    /// A figure's key in the summary: latencies stand beside others there, and have their unit behind them.
    fileprivate static func key(of figure: Figure) -> String { figure.rawValue + (figure.isLatency ? "_us" : "") }

    /// The runs, each of one plan.
    private let runs: [LoadRecord]

    package init(runs: [LoadRecord]) { self.runs = runs }

    private var spreads: [(name: String, spread: Spread)] {
        Self.figures.compactMap { figure in
            Spread(runs.compactMap { $0.result.value(of: figure) }).map { (Self.key(of: figure), $0.rounded) }
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: JSON.Key.self)
        try fields.encode(runs.first?.result.plan.workload.rawValue, forKey: "workload")
        try fields.encode(runs.first?.result.plan.parameters, forKey: "parameters")
        try fields.encode(runs.count, forKey: "repeats")
        try fields.encode(Dictionary(uniqueKeysWithValues: spreads.map { ($0.name, $0.spread) }), forKey: "summary")
        try fields.encode(runs, forKey: "runs")
    }

    package var text: String {
        let workload = runs.first?.result.plan.workload.rawValue ?? ""
        let lines = spreads.filter { $0.spread.most > 0 }.map { name, spread in
            "  \(Units.padded(name, 38)) \(Units.significant(spread.median)) "
                + "(\(Units.significant(spread.least)) to \(Units.significant(spread.most)))"
        }
        return (["\(workload), median of \(runs.count) (least to most)"] + lines + troubles).joined(separator: "\n")
            + "\n"
    }

    /// What went wrong in all runs together; nothing if nothing did.
    private var troubles: [String] {
        let figures: [Figure] = [.errors, .lost, .duplicated, .outOfOrder, .unsent]
        let counts = figures.map { figure in runs.reduce(0) { $0 + ($1.result.value(of: figure) ?? 0) } }
        let sentences = Set(runs.compactMap(\.result.firstError)).sorted().map { "  the first error: \($0)" }
        let told = zip(figures, counts).filter { $1 > 0 }.map { "\($0.rawValue) \(Units.fixed($1, 0))" }
        return (told.isEmpty ? [] : ["  in all runs: " + told.joined(separator: ", ")]) + sentences
    }
}

/// A report as `--compare` reads it: out of the JSON that `ringcast bench … --json` has written.
package struct BenchFile: Decodable, Sendable {
    private let workload: String
    private let parameters: [String: JSON.Scalar]
    private let summary: [String: Spread]

    /// - Throws: a sentence with the file's name, the key, and what is wrong there.
    package init(path: String) throws(LoadFailure) {
        guard let text = SystemFile.read(path) else { throw LoadFailure("\(path) cannot be read") }
        do throws(LoadFailure) { self = try JSON.value(BenchFile.self, in: text) } catch {
            throw LoadFailure(
                "\(path) \(error.message): --compare takes two files written by `ringcast bench … --json > FILE`")
        }
    }

    /// Compares two reports, B over A, a line per figure.
    /// - Throws: a sentence, if they are not of one workload.
    package static func compare(_ a: BenchFile, _ b: BenchFile) throws(LoadFailure) -> String {
        guard a.workload == b.workload else {
            throw LoadFailure("these are reports of two workloads, \(a.workload) and \(b.workload)")
        }
        let lines = BenchReport.figures.compactMap { figure -> String? in
            let key = BenchReport.key(of: figure)
            guard let before = a.summary[key], let after = b.summary[key], before.median > 0, after.median > 0 else {
                return nil
            }
            return line(key, before, after, moreIsBetter: figure.moreIsBetter)
        }
        let names = Set(a.parameters.keys).union(b.parameters.keys).sorted()
        let different = names.filter { a.comparable($0) != b.comparable($0) }
        let note = different.isEmpty ? [] : ["  note: parameters differ: \(different.joined(separator: ", "))"]
        return (["\(a.workload), B over A (medians)"] + lines + note).joined(separator: "\n") + "\n"
    }

    /// A parameter without the port of a URL: the server of every run listens on another one.
    private func comparable(_ name: String) -> JSON.Scalar? {
        guard case .text(let url) = parameters[name] else { return parameters[name] }
        return .text(url.replacing(/:[0-9]+/, with: ""))
    }

    private static func line(_ name: String, _ before: Spread, _ after: Spread, moreIsBetter: Bool) -> String {
        let ratio = after.median / before.median
        let isBetter = (ratio > 1) == moreIsBetter
        let verdict = before.overlaps(after) ? "within the spread" : isBetter ? "better" : "worse"
        return "  \(Units.padded(name, 38)) ×\(Units.fixed(ratio, 3))  \(Units.significant(before.median)) → "
            + "\(Units.significant(after.median))  \(verdict)"
    }
}
