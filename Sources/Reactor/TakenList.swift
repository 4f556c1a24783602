/// A list that is taken as a whole to be gone through, while a new one grows: two arrays that change places, so that
/// neither is allocated again.
struct TakenList<Element>: ~Copyable {
    private var waiting: [Element] = []
    private var taken: [Element] = []

    var isEmpty: Bool { waiting.isEmpty }
    var count: Int { waiting.count }

    mutating func append(_ element: Element) { waiting.append(element) }

    /// What has been appended since the last call. It is to be let go of before the next one, which else allocates.
    mutating func take() -> [Element] {
        taken.removeAll(keepingCapacity: true)
        swap(&waiting, &taken)
        return taken
    }
}
