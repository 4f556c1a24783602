/// Users and when each is to act: a binary heap, the earliest on top. Adding and taking cost O(log n).
package struct DueQueue: Sendable {
    private var heap: [(at: UInt64, user: Int)] = []

    package init() {}

    package var isEmpty: Bool { heap.isEmpty }

    package mutating func add(_ user: Int, at moment: UInt64) {
        heap.append((moment, user))
        var child = heap.count - 1
        while child > 0, heap[child].at < heap[(child - 1) / 2].at {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Takes the earliest user who is due by `now`.
    package mutating func takeDue(by now: UInt64) -> (at: UInt64, user: Int)? {
        guard let first = heap.first, first.at <= now else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].at < heap[least].at {
                least = child
            }
            if least == parent { return first }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
