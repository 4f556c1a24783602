/// Medians and spreads of repeated runs.
package struct Spread: Equatable, Sendable {
    package let median: Double
    package let least: Double
    package let most: Double

    /// nil for no values.
    package init?(_ values: [Double]) {
        let sorted = values.sorted()
        guard let first = sorted.first, let last = sorted.last else { return nil }
        let middle = sorted.count / 2
        median = sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
        (least, most) = (first, last)
    }

    package func overlaps(_ other: Spread) -> Bool { least <= other.most && other.least <= most }

    package var json: JSON { .members([("median", .figure(median)), ("min", .figure(least)), ("max", .figure(most))]) }

    /// Out of what `json` made.
    package init?(json: JSON?) {
        guard let median = json?["median"]?.number, let least = json?["min"]?.number, let most = json?["max"]?.number
        else {
            return nil
        }
        (self.median, self.least, self.most) = (median, least, most)
    }
}
