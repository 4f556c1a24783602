import PubSub

/// How much there was of something lately, by topic, for those topics that have most of it. A table of bounded size,
/// after "space saving" (Metwally, Agrawal, El Abbadi, 2005): where it is full, a topic takes the place of the
/// smallest, and what that one had with it, so that nobody who comes again and again is kept out. What was taken over
/// is known, and not told: an amount is never more than the topic had.
///
/// Amounts fade: each second takes a tenth of them, so that ten times the rate is left of what goes on and on.
struct HeavyTopics: Sendable {
    static let capacity = 64

    private struct Amount {
        var value: Double
        /// How much of it others may have had.
        var excess: Double
    }

    private var amounts: [Topic: Amount] = [:]
    /// The time (ms) that amounts have faded up to.
    private var time: UInt64 = 0
    private static let fading = 0.9
    /// What is less is forgotten: no event, or an old one.
    private static let least = 0.05

    var count: Int { amounts.count }

    mutating func add(_ amount: UInt64, of topic: Topic) {
        let amount = Double(amount)
        if amounts[topic] != nil {
            amounts[topic]?.value += amount
        } else if amounts.count < Self.capacity {
            amounts[topic] = Amount(value: amount, excess: 0)
        } else if let (smallest, taken) = amounts.min(by: { $0.value.value < $1.value.value }) {
            amounts[smallest] = nil
            amounts[topic] = Amount(value: taken.value + amount, excess: taken.value)
        }
    }

    /// Lets whole seconds pass, if some are over.
    /// - Returns: how many.
    @discardableResult
    mutating func fade(to now: UInt64) -> UInt64 {
        guard now >= time + 1_000 else { return 0 }
        let seconds = (now - time) / 1_000
        time += seconds * 1_000
        guard !amounts.isEmpty else { return seconds }
        var factor = 1.0
        for _ in 0..<min(seconds, 1_000) { factor *= Self.fading }
        var hasForgettable = false
        for index in amounts.values.indices {
            amounts.values[index].value *= factor
            amounts.values[index].excess *= factor
            if amounts.values[index].value < Self.least { hasForgettable = true }
        }
        if hasForgettable { amounts = amounts.filter { $0.value.value >= Self.least } }
        return seconds
    }

    /// About how much a second there was of each topic, over some ten seconds.
    func rates(at now: UInt64) -> [Topic: Double] {
        var faded = self
        faded.fade(to: now)
        // The weights of the seconds before this one, and the part of this one that is over.
        let weight = Self.fading / (1 - Self.fading) + Double(min(1_000, now - min(now, faded.time))) / 1_000
        return faded.amounts.mapValues { ($0.value - $0.excess) / weight }
    }
}
