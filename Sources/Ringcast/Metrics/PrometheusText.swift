/// The text that Prometheus scrapes: its exposition format, version 0.0.4.
public enum PrometheusText {
    /// The value of `Content-Type` for it.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// Writes metrics, in their order. Each has to come once: a scraper refuses a page that has one twice.
    public static func render(_ families: [MetricFamily]) -> String {
        var text = ""
        for family in families {
            text += "# HELP \(family.name) \(escaped(family.help, quotes: false))\n"
            text += "# TYPE \(family.name) \(family.kind.rawValue)\n"
            for sample in family.samples { write(sample, of: family.name, to: &text) }
        }
        return text
    }

    private static func write(_ sample: MetricFamily.Sample, of name: String, to text: inout String) {
        switch sample.value {
        case .integer(let value): text += "\(name)\(labels(sample.labels)) \(value)\n"
        case .number(let value): text += "\(name)\(labels(sample.labels)) \(number(value))\n"
        case .histogram(let histogram):
            var count = 0
            for (bound, amount) in zip(histogram.bounds + [.infinity], histogram.counts) {
                count += amount
                let all = sample.labels + [MetricFamily.Label("le", number(bound))]
                text += "\(name)_bucket\(labels(all)) \(count)\n"
            }
            text += "\(name)_sum\(labels(sample.labels)) \(number(histogram.sum))\n"
            text += "\(name)_count\(labels(sample.labels)) \(count)\n"
        }
    }

    private static func labels(_ labels: [MetricFamily.Label]) -> String {
        guard !labels.isEmpty else { return "" }
        return "{" + labels.map { "\($0.name)=\"\(escaped($0.value, quotes: true))\"" }.joined(separator: ",") + "}"
    }

    /// A number as Go reads it, whose words for what is no number differ from Swift's.
    package static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        if value == value.rounded(), abs(value) < 1e15 { return "\(Int(value))" }
        return "\(value)"
    }

    /// Text in which a backslash and a line's end, and in a label's value a quote, are written behind a backslash.
    private static func escaped(_ text: String, quotes: Bool) -> String {
        guard text.utf8.contains(where: { $0 == 0x5C || $0 == 0x0A || quotes && $0 == 0x22 }) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
