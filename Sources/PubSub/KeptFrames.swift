/// The newest messages of a topic, oldest first, in a ring that grows with them. An owner of each frame.
struct KeptFrames {
    private struct Entry {
        let frame: SharedFrame
        /// When it was published, in milliseconds.
        let time: UInt64
    }

    private var ring: [Entry?] = []
    private var head = 0
    private(set) var count = 0
    private(set) var numbering: Numbering
    /// The offset of the newest message, kept or not.
    private(set) var last: UInt64 = 0
    /// Whether what is not kept here is gone. Of a shared history its keeper may have more.
    var isWhole: Bool
    /// Whether somebody else numbers the messages.
    let isShared: Bool
    /// Bytes of memory that the frames take.
    private(set) var byteCount = 0
    /// What the ledger of all topics knows of `byteCount`.
    var accounted = 0

    init(_ numbering: Numbering) {
        self.numbering = numbering
        isWhole = numbering.isKnown
        isShared = !numbering.isKnown
    }

    /// The offset of the oldest message that is kept; behind the newest where none is.
    var first: UInt64 { last - UInt64(count) + 1 }

    /// Notes a message, and keeps it as far as the rule allows, which may cost older ones their place.
    mutating func append(_ frame: SharedFrame, rule: HistoryRule, now: UInt64) {
        last += 1
        while count > 0, count >= rule.messages || byteCount + frame.memory > rule.bytes {
            // A keeper of the same rule drops as many messages, and counts their bytes otherwise.
            if isShared, count < rule.messages { isWhole = false }
            dropFirst()
        }
        dropOld(rule, now: now)
        guard rule.messages > 0, frame.memory <= rule.bytes else { return }
        if count == ring.count { grow(limit: rule.messages) }
        frame.retain()
        ring[(head + count) % ring.count] = Entry(frame: frame, time: now)
        count += 1
        byteCount += frame.memory
    }

    /// Drops what has been kept for too long.
    mutating func dropOld(_ rule: HistoryRule, now: UInt64) {
        for _ in 0..<oldCount(rule, now: now) { dropFirst() }
    }

    /// How many of the oldest messages have been kept for too long.
    func oldCount(_ rule: HistoryRule, now: UInt64) -> Int {
        guard let age = rule.age else { return 0 }
        var old = 0
        while old < count, let entry = ring[(head + old) % ring.count], now > entry.time, now - entry.time > age {
            old += 1
        }
        return old
    }

    /// The frames behind an offset, with an ownership of each for the caller.
    func frames(after offset: UInt64) -> [SharedFrame] {
        let skipped = min(Int(clamping: offset - min(offset, first - 1)), count)
        return (skipped..<count).map { index in
            let frame = ring[(head + index) % ring.count]!.frame
            frame.retain()
            return frame
        }
    }

    /// Goes on in a numbering behind an offset, with nothing kept.
    mutating func begin(_ numbering: Numbering, behind offset: UInt64) {
        removeAll()
        self.numbering = numbering
        last = offset
        isWhole = false
    }

    /// Puts older messages in front of those that are kept, as many of the newest as the rule has room for. Takes the
    /// frames: they are the messages right before `first`, oldest first.
    mutating func prepend(_ older: [(frame: SharedFrame, time: UInt64)], rule: HistoryRule) {
        var (taken, bytes) = (0, byteCount)
        for (frame, _) in older.reversed() {
            guard count + taken < rule.messages, bytes + frame.memory <= rule.bytes else { break }
            taken += 1
            bytes += frame.memory
        }
        for (frame, _) in older.dropLast(taken) { frame.release() }
        let kept = (0..<count).map { ring[(head + $0) % ring.count] }
        ring = older.suffix(taken).map { Entry(frame: $0.frame, time: $0.time) } + kept
        head = 0
        count += taken
        byteCount = bytes
    }

    mutating func removeAll() {
        while count > 0 { dropFirst() }
        ring = []
        head = 0
    }

    private mutating func dropFirst() {
        let frame = ring[head]!.frame
        ring[head] = nil
        head = (head + 1) % ring.count
        count -= 1
        byteCount -= frame.memory
        frame.release()
    }

    private mutating func grow(limit: Int) {
        var larger = [Entry?](repeating: nil, count: min(max(ring.count * 2, 4), limit))
        for index in 0..<count { larger[index] = ring[(head + index) % ring.count] }
        ring = larger
        head = 0
    }
}
