import PubSub

/// What waits behind the send queue of a slow socket, in order: frames that may still be evicted, and everything that
/// came after them.
///
/// Nothing in it has been handed to the kernel. Frames of one publish share their bytes, whatever the number of slow
/// sockets. Every operation is O(1), amortised.
struct Backlog {
    enum Kind {
        /// Sent to this socket alone: never evicted.
        case direct
        case topic
        /// A topic's frame that may be evicted for any newer one of this kind.
        case oldest
        /// A topic's frame that may be evicted for a newer one of the same topic.
        case latest(Topic)

        var isTopicFrame: Bool {
            switch self {
            case .direct: false
            case .topic, .oldest, .latest: true
            }
        }
    }

    /// What an entry costs beside its bytes: the object that holds them, and twice its place among the entries, which
    /// grow by doubling and are closed up when half of them are gone.
    static let entryCost = 48 + 4 * MemoryLayout<Entry?>.stride

    struct Entry {
        let bytes: [UInt8]
        let kind: Kind
    }

    /// The entries in order, with a nil where one is gone; closed up once most are gone.
    private var entries: [Entry?] = []
    /// Entries before it are gone.
    private var first = 0
    /// Entries before it cannot be evicted as the oldest.
    private var oldest = 0
    /// Where each topic's newest frame stands.
    private var newest: [Topic: Int] = [:]
    private(set) var count = 0
    private(set) var byteCount = 0
    /// What the entries cost in memory. Bytes that several sockets share are counted at each.
    var memory: Int { byteCount + count * Self.entryCost }
    /// Frames of topics among the entries.
    private(set) var topicFrameCount = 0

    var isEmpty: Bool { count == 0 }

    mutating func append(_ bytes: [UInt8], _ kind: Kind) {
        if case .latest(let topic) = kind { newest[topic] = entries.count }
        entries.append(Entry(bytes: bytes, kind: kind))
        count += 1
        byteCount += bytes.count
        if kind.isTopicFrame { topicFrameCount += 1 }
    }

    mutating func popFirst() -> Entry? {
        while first < entries.count, entries[first] == nil { first += 1 }
        return first < entries.count ? remove(at: first) : nil
    }

    /// Drops the oldest frame that may be evicted for any newer one, and returns it, if there is one.
    mutating func evictOldest() -> [UInt8]? {
        oldest = max(oldest, first)
        while oldest < entries.count {
            if case .oldest? = entries[oldest]?.kind { return remove(at: oldest).bytes }
            oldest += 1
        }
        return nil
    }

    /// The size of the frame that a newer one of the topic would replace.
    func latestByteCount(of topic: Topic) -> Int? { newest[topic].flatMap { entries[$0]?.bytes.count } }

    @discardableResult
    mutating func evictLatest(of topic: Topic) -> [UInt8]? { newest[topic].map { remove(at: $0).bytes } }

    /// Drops every frame that waits behind a newer one of its topic and may be replaced by it. O(entries).
    mutating func evictSuperseded() -> [[UInt8]] {
        let superseded = entries.indices.filter { index in
            guard case .latest(let topic)? = entries[index]?.kind else { return false }
            return newest[topic] != index
        }
        let frames = superseded.map { take(at: $0).bytes }
        closeUpIfSparse()
        return frames
    }

    private mutating func remove(at index: Int) -> Entry {
        defer { closeUpIfSparse() }
        return take(at: index)
    }

    /// Removes an entry; the others keep their places.
    private mutating func take(at index: Int) -> Entry {
        let entry = entries[index]!
        entries[index] = nil
        count -= 1
        byteCount -= entry.bytes.count
        if entry.kind.isTopicFrame { topicFrameCount -= 1 }
        if case .latest(let topic) = entry.kind, newest[topic] == index { newest[topic] = nil }
        return entry
    }

    private mutating func closeUpIfSparse() {
        guard entries.count > 64, count < entries.count / 2 else { return }
        let kept = entries.compactMap { $0 }
        entries = []
        (first, oldest, count, byteCount, topicFrameCount) = (0, 0, 0, 0, 0)
        newest.removeAll(keepingCapacity: true)
        for entry in kept { append(entry.bytes, entry.kind) }
    }
}
