/// A queue that lets go of what has left it: an `ArraySlice` would keep that alive until it grows.
struct FIFO<Element> {
    /// The oldest element last, so that taking it moves none.
    private var leaving: [Element] = []
    private var arriving: [Element] = []

    var count: Int { leaving.count + arriving.count }
    var isEmpty: Bool { leaving.isEmpty && arriving.isEmpty }

    var first: Element? { leaving.last ?? arriving.first }

    mutating func append(_ element: Element) { arriving.append(element) }

    /// Takes the oldest element. O(1) amortised.
    mutating func popFirst() -> Element? {
        if leaving.isEmpty {
            swap(&leaving, &arriving)
            leaving.reverse()
        }
        return leaving.popLast()
    }
}

extension FIFO: Sendable where Element: Sendable {}
