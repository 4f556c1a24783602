/// The median of repeated runs, and how far they are apart.
package struct Spread: Codable, Equatable, Sendable {
    package let median: Double
    package let least: Double
    package let most: Double

    enum CodingKeys: String, CodingKey {
        case median
        case least = "min"
        case most = "max"
    }

    private init(median: Double, least: Double, most: Double) {
        (self.median, self.least, self.most) = (median, least, most)
    }

    /// The spread of some values; nil where there are none.
    package init?(_ values: [Double]) {
        let sorted = values.sorted()
        guard let least = sorted.first, let most = sorted.last else { return nil }
        let middle = sorted.count / 2
        let median = sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
        self.init(median: median, least: least, most: most)
    }

    package func overlaps(_ other: Spread) -> Bool { least <= other.most && other.least <= most }

    /// With three digits behind the point, which is what a measurement is worth.
    var rounded: Spread {
        Spread(median: Units.rounded(median, 3), least: Units.rounded(least, 3), most: Units.rounded(most, 3))
    }
}
