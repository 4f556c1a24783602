import PubSub

/// Where a message of a topic with history stands: in which of the topic's numberings, counted from 1 on, and its
/// offset there. Clients name places where others name positions, since an epoch is another number in every run.
struct Place: Hashable, CustomStringConvertible {
    let numbering: Int
    let offset: Int

    static let oldest = Place(numbering: 0, offset: 0)

    var description: String { "\(numbering).\(offset)" }

    init(numbering: Int, offset: Int) { (self.numbering, self.offset) = (numbering, offset) }

    /// From what `description` has written.
    init?(_ text: Substring) {
        let parts = text.split(separator: ".")
        guard parts.count == 2, let numbering = Int(parts[0]), let offset = Int(parts[1]) else { return nil }
        self.init(numbering: numbering, offset: offset)
    }
}

/// The truth about one topic with history: what its home loop has numbered, and which of it is kept.
struct SimulatedHistory {
    /// All messages from one epoch's beginning on.
    struct Numbering {
        let epoch: UInt64
        /// By offset, from 1 on; nil where a message was numbered and trimmed before anybody could look.
        private(set) var messages: [Publication?] = []
        /// When each was numbered, in its home loop's time.
        private var times: [UInt64] = []
        /// The offset of the oldest message that is kept; behind the newest where none is.
        private(set) var first = 1

        var last: Int { messages.count }
        var keptCount: Int { last - first + 1 }

        init(epoch: UInt64) { self.epoch = epoch }

        subscript(offset: Int) -> Publication? { messages[offset - 1] }

        mutating func append(_ message: Publication?, _ plan: HistoryPlan, now: UInt64) {
            messages.append(message)
            times.append(now)
            first = max(first, last - plan.messages + 1)
            trim(plan, now: now)
        }

        mutating func trim(_ plan: HistoryPlan, now: UInt64) { first = oldest(plan, now: now) }

        /// The offset of the oldest message that is not too old.
        func oldest(_ plan: HistoryPlan, now: UInt64) -> Int {
            guard let age = plan.age else { return first }
            var first = first
            while first <= last, now > times[first - 1], now - times[first - 1] > age { first += 1 }
            return first
        }

        mutating func clear() { first = last + 1 }
    }

    let plan: HistoryPlan
    private(set) var numberings: [Numbering] = []
    /// Where each message has come to stand.
    private(set) var places: [Publication: Place] = [:]
    /// Published, not refused, and not numbered yet.
    var offered: Set<Publication> = []
    /// How many were numbered and trimmed before anybody could look.
    private(set) var unknownCount = 0
    private var lastSequences: [Publication.Stream: Int] = [:]
    /// When the topic was published or subscribed to for the last time, in the time of the loop that did it.
    private(set) var lastUse: UInt64 = 0

    init(_ plan: HistoryPlan) { self.plan = plan }

    var last: Place { Place(numbering: numberings.count, offset: numberings.last?.last ?? 0) }
    var keptCount: Int { numberings.last?.keptCount ?? 0 }
    /// The places of the messages that are kept and not too old at a time.
    func kept(at now: UInt64) -> Range<Int> {
        guard let numbering = numberings.last else { return 1..<1 }
        return numbering.oldest(plan, now: now)..<numbering.last + 1
    }

    func message(at place: Place) -> Publication? { numberings[place.numbering - 1][place.offset] }

    /// Notes which epoch is counted in. Returns what is wrong with it.
    mutating func begin(_ epoch: UInt64) -> String? {
        guard numberings.last?.epoch != epoch else { return nil }
        let (before, isOld) = (keptCount, numberings.contains { $0.epoch == epoch })
        numberings.append(Numbering(epoch: epoch))
        if isOld { return "\(plan.topic) counts in an epoch that was over" }
        return before > 0 ? "\(plan.topic) was forgotten with \(before) messages that it kept" : nil
    }

    /// Notes that a message was numbered. Returns what is wrong with it.
    mutating func number(_ message: Publication?, as position: Position, now: UInt64) -> String? {
        if let complaint = begin(position.epoch) { return complaint }
        let offset = Int(position.offset)
        guard offset == last.offset + 1 else { return "\(plan.topic): offset \(offset) comes behind \(last.offset)" }
        numberings[numberings.count - 1].append(message, plan, now: now)
        lastUse = now
        guard let message else {
            unknownCount += 1
            return nil
        }
        guard offered.remove(message) != nil else {
            return "\(message) was numbered \(places[message] == nil ? "though it was refused" : "twice")"
        }
        places[message] = last
        let before = lastSequences.updateValue(message.sequence, forKey: message.stream) ?? 0
        return before < message.sequence ? nil : "\(message) was numbered behind \(before)"
    }

    /// Notes that somebody subscribes, by a loop's time, and returns what has to come of it.
    mutating func subscribe(after place: Place?, now: UInt64) -> Resumption {
        numberings[numberings.count - 1].trim(plan, now: now)
        lastUse = now
        guard let place else { return .new }
        let numbering = numberings[numberings.count - 1]
        if place == .oldest { return .resumed(numbering.keptCount) }
        guard place.numbering == numberings.count, place.offset <= numbering.last,
            // All that is behind it is kept.
            place.offset + 1 >= numbering.first
        else { return .gap }
        return .resumed(numbering.last - place.offset)
    }

    mutating func clear() {
        guard !numberings.isEmpty else { return }
        numberings[numberings.count - 1].clear()
    }
}
