/// A queue that lets go of what has left it: an `ArraySlice` would keep that alive until it grows.
package struct FIFO<Element> {
    /// The oldest element last, so that taking it moves none.
    private var leaving: [Element] = []
    private var arriving: [Element] = []

    package init() {}

    package var count: Int { leaving.count + arriving.count }
    package var isEmpty: Bool { leaving.isEmpty && arriving.isEmpty }

    package var first: Element? { leaving.last ?? arriving.first }

    package mutating func append(_ element: Element) { arriving.append(element) }

    /// Takes the oldest element. O(1) amortised.
    package mutating func popFirst() -> Element? {
        if leaving.isEmpty {
            swap(&leaving, &arriving)
            leaving.reverse()
        }
        return leaving.popLast()
    }
}

extension FIFO: Sendable where Element: Sendable {}
