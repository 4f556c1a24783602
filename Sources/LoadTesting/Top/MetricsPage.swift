/// A page of metrics in Prometheus's text format, read again: what `ringcast top` knows of a server.
package struct MetricsPage: Sendable {
    private struct Series: Hashable {
        let name: String
        let labels: [String: String]
    }

    private var values: [Series: Double] = [:]

    /// Nil if the text is no such page.
    package init?(_ text: String) {
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            guard let (series, value) = Self.parse(line) else { return nil }
            values[series] = value
        }
        if values.isEmpty { return nil }
    }

    /// The sum of a metric's values that have these labels.
    package func sum(_ name: String, where labels: [String: String] = [:]) -> Double {
        values.reduce(0) { sum, entry in
            let (series, value) = entry
            guard series.name == name, labels.allSatisfy({ series.labels[$0] == $1 }) else { return sum }
            return sum + value
        }
    }

    /// The different values of a label of a metric, in order: numbers by size.
    package func labels(_ label: String, of name: String) -> [String] {
        let found = Set(values.keys.lazy.filter { $0.name == name }.compactMap { $0.labels[label] })
        return found.sorted { left, right in
            if let left = Double(left), let right = Double(right) { return left < right }
            return left < right
        }
    }

    private static func parse(_ line: Substring) -> (Series, Double)? {
        let name = line.prefix { $0 != "{" && $0 != " " }
        var rest = line[name.endIndex...]
        var labels: [String: String] = [:]
        if rest.first == "{" {
            rest = rest.dropFirst()
            while rest.first != "}" {
                guard let (label, value) = takeLabel(from: &rest) else { return nil }
                labels[label] = value
                if rest.first == "," { rest = rest.dropFirst() }
            }
            rest = rest.dropFirst()
        }
        guard !name.isEmpty, let number = rest.split(separator: " ").first.flatMap({ number(of: $0) }) else {
            return nil
        }
        return (Series(name: String(name), labels: labels), number)
    }

    private static func takeLabel(from rest: inout Substring) -> (String, String)? {
        let label = rest.prefix { $0 != "=" }
        rest = rest[label.endIndex...].dropFirst()
        guard !label.isEmpty, rest.first == "\"" else { return nil }
        rest = rest.dropFirst()
        var value = ""
        while let character = rest.popFirst(), character != "\"" {
            guard character == "\\" else {
                value.append(character)
                continue
            }
            guard let escaped = rest.popFirst() else { return nil }
            value.append(escaped == "n" ? "\n" : escaped)
        }
        return (String(label), value)
    }

    private static func number(of text: Substring) -> Double? {
        switch text {
        case "+Inf": .infinity
        case "-Inf": -.infinity
        case "NaN": .nan
        default: Double(text)
        }
    }
}
