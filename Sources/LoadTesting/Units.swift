/// Numbers with units, as they are typed and shown.
package enum Units {
    /// Microseconds out of `20ms`, `1.5s`, `300us`, `800ns`, `2m`; nil for anything else, a bare number too.
    package static func microseconds(_ text: some StringProtocol) -> Double? {
        guard let (number, unit) = split(text) else { return nil }
        let time: Double? =
            switch unit {
            case "ns": number / 1e3
            case "us", "µs": number
            case "ms": number * 1e3
            case "s": number * 1e6
            case "m", "min": number * 6e7
            case "h": number * 3.6e9
            default: nil
            }
        return time.flatMap { $0.isFinite ? $0 : nil }
    }

    /// A number, and the unit that stands behind it.
    package static func split(_ text: some StringProtocol) -> (number: Double, unit: String)? {
        let digits = text.prefix { $0.isNumber || $0 == "." || $0 == "-" }
        guard let number = Double(digits), number.isFinite else { return nil }
        return (number, String(text[digits.endIndex...]))
    }

    /// `950 ns`, `12.3 µs`, `4.56 ms`, `7.89 s`.
    package static func show(microseconds: Double) -> String {
        switch microseconds {
        case ..<1: "\(fixed(microseconds * 1e3, 0)) ns"
        case ..<1e3: "\(significant(microseconds)) µs"
        case ..<1e6: "\(significant(microseconds / 1e3)) ms"
        default: "\(significant(microseconds / 1e6)) s"
        }
    }

    /// `8 s`, `2 min 05 s`, `3 h 07 min`; a second that has begun counts.
    package static func show(wait seconds: Double) -> String {
        let all = Int(min(max(0, seconds), 1e9).rounded(.up))
        let two = { (number: Int) in number < 10 ? "0\(number)" : "\(number)" }
        switch all {
        case ..<100: return "\(all) s"
        case ..<6_000: return "\(all / 60) min \(two(all % 60)) s"
        default: return "\(all / 3_600) h \(two(all / 60 % 60)) min"
        }
    }

    /// `950`, `12.3k`, `4.56M`.
    package static func show(count: Double) -> String {
        switch count {
        case ..<1e3: fixed(count, 0)
        case ..<1e6: "\(significant(count / 1e3))k"
        default: "\(significant(count / 1e6))M"
        }
    }

    package static func show(bytes: Double) -> String {
        switch bytes {
        case ..<1024: "\(fixed(bytes, 0)) B"
        case ..<1_048_576: "\(significant(bytes / 1024)) KiB"
        case ..<1_073_741_824: "\(significant(bytes / 1_048_576)) MiB"
        default: "\(significant(bytes / 1_073_741_824)) GiB"
        }
    }

    /// A number with three digits.
    package static func significant(_ value: Double) -> String {
        fixed(value, value < 10 ? 2 : value < 100 ? 1 : 0)
    }

    /// A text with blanks behind it, up to so many columns.
    static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// The number that `fixed` shows.
    static func rounded(_ value: Double, _ digits: Int) -> Double { Double(fixed(value, digits)) ?? value }

    /// A number with so many digits behind the point.
    package static func fixed(_ value: Double, _ digits: Int) -> String {
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        guard value.isFinite, abs(value) < 1e15, abs(value) * scale < 9e18 else { return "\(value)" }
        let scaled = Int64((abs(value) * scale).rounded())
        let sign = value < 0 && scaled != 0 ? "-" : ""
        guard digits > 0 else { return sign + "\(scaled)" }
        let fraction = String(scaled % Int64(scale))
        return sign + "\(scaled / Int64(scale))." + String(repeating: "0", count: digits - fraction.count) + fraction
    }
}
