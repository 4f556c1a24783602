/// Where the parameters of a route lie in a request's head, still percent-encoded. Kept inline: finding them allocates
/// nothing.
package struct RouteParameters: Sendable {
    /// The most parameters of one route.
    package static let capacity = 8

    private struct Place {
        var lower: UInt32 = 0
        var upper: UInt32 = 0
    }

    private var places = InlineArray<8, Place>(repeating: Place())
    package private(set) var count = 0

    package init() {}

    /// - Parameter index: 0 ..< `count`.
    package subscript(index: Int) -> Range<Int> { Int(places[index].lower)..<Int(places[index].upper) }

    mutating func append(_ range: Range<Int>) {
        places[count] = Place(lower: UInt32(clamping: range.lowerBound), upper: UInt32(clamping: range.upperBound))
        count += 1
    }

    mutating func removeLast(to count: Int) { self.count = count }
}
