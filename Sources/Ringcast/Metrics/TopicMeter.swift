import PubSub
import Synchronization

/// Finds the topics to which something happens most often, by samples: to look up the topic of each event would cost
/// more than most events.
///
/// Samples lie at random distances, for topics that take turns would hide from regular ones. Each stands for as many
/// events as the distance is on average: for one at first, so that a quiet server is measured exactly, and for twice as
/// many whenever a second has brought `samplesPerStep` of them.
struct TopicSampler: Sendable {
    static let samplesPerStep = 256

    private(set) var heavy = HeavyTopics()
    /// Events so far.
    private var total: UInt64 = 0
    /// The number of the event that is the next sample.
    private(set) var next: UInt64 = 1
    /// How many events the next sample stands for, and those behind it.
    private var (weight, step): (UInt64, UInt64) = (1, 1)
    private var samplesAtStep = 0
    /// Of the same seed always: nobody gains from knowing it, and tests can be repeated.
    private var random: UInt64 = 0x9E37_79B9_7F4A_7C15

    /// Notes so many events of one topic, which have brought the number of all up to `total`.
    mutating func count(_ events: Int, upTo total: UInt64, of topic: Topic, at time: UInt64) {
        relax(behind: total - UInt64(events), at: time)
        self.total = total
        guard next <= total else { return }
        var amount: UInt64 = 0
        repeat {
            amount += weight
            samplesAtStep += 1
            if samplesAtStep == Self.samplesPerStep { (step, samplesAtStep) = (step * 2, 0) }
            drawNext(behind: next)
        } while next <= total
        heavy.add(amount, of: topic)
    }

    /// Notes so many events of one topic.
    mutating func count(_ events: Int, of topic: Topic, at time: UInt64) {
        count(events, upTo: total + UInt64(events), of: topic, at: time)
    }

    /// Samples more closely in a new second. A sample that is far away, since there was more to do before, is drawn
    /// again.
    /// - Parameter total: events so far.
    mutating func relax(behind total: UInt64, at time: UInt64) {
        let seconds = heavy.fade(to: time)
        guard seconds > 0 else { return }
        samplesAtStep = 0
        guard step > 1 else { return }
        step = max(1, step >> min(2 * seconds, 63))
        drawNext(behind: total)
    }

    private mutating func drawNext(behind event: UInt64) {
        random ^= random << 13
        random ^= random >> 7
        random ^= random << 17
        // From 1 to 2 * step - 1, with a mean of `step`.
        next = event + 1 + random.multipliedFullWidth(by: 2 * step - 1).high
        weight = step
    }
}

/// A sampler that any thread may feed and read. The lock is held for a sample, or to take a copy.
final class TopicMeter: Sendable {
    private let sampler = Mutex(TopicSampler())

    func count(_ events: Int, of topic: Topic, at time: UInt64) {
        sampler.withLock { $0.count(events, of: topic, at: time) }
    }

    /// For one that counts all events by itself.
    /// - Returns: the number of events at which to call again.
    func count(_ events: Int, upTo total: UInt64, of topic: Topic, at time: UInt64) -> UInt64 {
        sampler.withLock { sampler in
            sampler.count(events, upTo: total, of: topic, at: time)
            return sampler.next
        }
    }

    /// Begins a second, if it is time to, for one that counts all events by itself.
    /// - Returns: the number of events at which to call `count`.
    func relax(behind total: UInt64, at time: UInt64) -> UInt64 {
        sampler.withLock { sampler in
            sampler.relax(behind: total, at: time)
            return sampler.next
        }
    }

    func rates(at time: UInt64) -> [Topic: Double] { sampler.withLock { $0.heavy }.rates(at: time) }
}

/// What one loop's topics do most.
struct TopicMeters: Sendable {
    /// Subscribers that messages were handed to.
    let deliveries = TopicMeter()
    /// Messages queued for subscribers that were behind.
    let behind = TopicMeter()
    /// Messages that subscribers did not get.
    let drops = TopicMeter()
    /// Those of threads that are no loops, which the loop could not take: it waits for none of these threads.
    let foreignDrops = TopicMeter()
}
