/// What comes first leaves first, and is not kept alive behind that: an `ArraySlice` would keep it until it grows.
struct FIFO<Element> {
    /// Oldest last, so that taking one moves none.
    private var leaving: [Element] = []
    private var arriving: [Element] = []

    var count: Int { leaving.count + arriving.count }
    var isEmpty: Bool { leaving.isEmpty && arriving.isEmpty }

    mutating func append(_ element: Element) { arriving.append(element) }

    /// Takes the oldest. O(1) amortised.
    mutating func popFirst() -> Element? {
        if leaving.isEmpty {
            swap(&leaving, &arriving)
            leaving.reverse()
        }
        return leaving.popLast()
    }
}

extension FIFO: Sendable where Element: Sendable {}
