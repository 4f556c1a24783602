/// Topics that a table was asked for lately, known by the two words that a string is made of: who publishes to the same
/// `Topic` again has its index for two comparisons, and no hash of its name.
///
/// Strings of the same words are the same as long as one of them is kept: a small one is all in its words, and the
/// memory that words of a larger one name is given to no other. Spellings that are equivalent are found by their hash.
@safe
struct RecentTopics: ~Copyable {
    private struct Words: Equatable, BitwiseCopyable {
        var first: UInt64
        var second: UInt64
    }

    private struct Place {
        /// Of `topic`; zeroes, which no string is, before there is one.
        var words = Words(first: 0, second: 0)
        /// Of the last one that was not found here. Only a second time it takes the place: names that are made for one
        /// publish would else be kept in turn, which costs more than it spares.
        var candidate = Words(first: 0, second: 0)
        var topic: Topic = ""
        var index = 0
    }

    /// A topic has one place, by its words.
    private let places: UnsafeMutablePointer<Place>
    private static let placeCount = 16

    init() {
        precondition(MemoryLayout<Topic>.size == MemoryLayout<Words>.size, "a topic is a string, and that is two words")
        unsafe places = .allocate(capacity: Self.placeCount)
        unsafe places.initialize(repeating: Place(), count: Self.placeCount)
    }

    deinit {
        unsafe places.deinitialize(count: Self.placeCount)
        unsafe places.deallocate()
    }

    @inline(__always)
    func index(of topic: Topic) -> Int? {
        let words = Self.words(of: topic)
        let place = unsafe place(of: words)
        return unsafe place.pointee.words == words ? place.pointee.index : nil
    }

    /// A topic that was not found here has that index.
    func note(_ topic: Topic, at index: Int) {
        let words = Self.words(of: topic)
        let place = unsafe place(of: words)
        guard unsafe place.pointee.candidate == words else { return unsafe place.pointee.candidate = words }
        unsafe place.pointee = Place(words: words, candidate: words, topic: topic, index: index)
    }

    /// Indices have changed.
    func removeAll() {
        for place in 0..<Self.placeCount { unsafe places[place] = Place() }
    }

    /// Safe: the words are compared, and not used as what they stand for.
    @inline(__always)
    private static func words(of topic: Topic) -> Words { unsafe unsafeBitCast(topic, to: Words.self) }

    @inline(__always)
    private func place(of words: Words) -> UnsafeMutablePointer<Place> {
        unsafe places + Int(((words.first ^ words.second) &* 0x9E37_79B9_7F4A_7C15) >> 60)
    }
}
