/// A figure that a load has to keep, as in `--fail-if 'p99>20ms'`.
package struct Threshold: Equatable, Sendable {
    package let figure: Figure
    package let comparison: Comparison
    /// The limit in the figure's own unit; microseconds for latencies.
    package let limit: Double
    package let text: String

    package enum Comparison: String, Sendable {
        case above = ">"
        case below = "<"
    }

    /// - Throws: a sentence that says what is wrong with it.
    package init(_ text: String) throws(LoadFailure) {
        let compact = text.filter { $0 != " " }
        guard let sign = compact.firstIndex(where: { $0 == ">" || $0 == "<" }),
            let comparison = Comparison(rawValue: String(compact[sign]))
        else { throw LoadFailure("--fail-if '\(text)' compares nothing: write for instance 'p99>20ms' or 'errors>0'") }
        let name = String(compact[..<sign])
        let short = ["rate": Figure.rate, "deliveries": .deliveries, "server_cpu": .serverCPU]
        guard let figure = short[name] ?? Figure(rawValue: name) else {
            let names = Figure.allCases.map(\.rawValue).joined(separator: ", ")
            throw LoadFailure("--fail-if knows no figure '\(name)': there are \(names)")
        }
        let value = compact[compact.index(after: sign)...]
        if figure.isLatency {
            guard let limit = Units.microseconds(value) else {
                throw LoadFailure("--fail-if '\(text)': '\(value)' is no time: write for instance 20ms, 300us or 1.5s")
            }
            self.limit = limit
        } else {
            guard let limit = Double(value), limit.isFinite else {
                throw LoadFailure("--fail-if '\(text)': '\(value)' is no number")
            }
            self.limit = limit
        }
        (self.figure, self.comparison, self.text) = (figure, comparison, text)
    }

    /// The sentence for a threshold that is crossed; nil where it is kept. A figure that was not measured counts as
    /// crossed.
    package func violation(by result: LoadResult) -> String? {
        guard let value = result.value(of: figure) else { return "\(text): \(figure.rawValue) was not measured" }
        guard comparison == .above ? value > limit : value < limit else { return nil }
        return "\(text): it was \(figure.isLatency ? Units.show(microseconds: value) : Units.significant(value))"
    }
}
