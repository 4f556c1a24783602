/// A set of the methods that routes are for. Which bit is which method the tree's user decides.
package struct RouteMethods: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// How many methods there can be.
    package static let capacity = UInt32.bitWidth

    /// The set of one method.
    /// - Parameter index: 0 ..< `capacity`.
    package init(index: Int) { rawValue = 1 << UInt32(index) }

    /// The methods' indices, in order.
    package var indices: [Int] { (0..<Self.capacity).filter { rawValue >> UInt32($0) & 1 == 1 } }
}
