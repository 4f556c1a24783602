public import PubSub

/// What a topic has lately to do with. Figures are averages over some ten seconds, in which older ones fade; of topics
/// that are busy they are estimates from samples, of those that are hardly used they may be missing.
public struct TopicActivity: Hashable, Sendable {
    /// Which topic. Its name may be what a peer has chosen.
    public let topic: Topic
    /// Sockets that are subscribed now, on all loops.
    public let subscriberCount: Int
    /// Subscribers that a message was meant for, per second: also those that were at their limit, and the publisher
    /// where it is subscribed and does not hear itself. What is replayed is not among them.
    public let deliveriesPerSecond: Double
    /// Messages per second that were queued for subscribers that were behind: what had been sent to them before had not
    /// left yet.
    public let behindPerSecond: Double
    /// Messages per second that subscribers did not get, or lost to newer ones: they, or a loop, had no room for them.
    /// What a message pushes out counts for that message's topic, whichever topic it was of.
    public let dropsPerSecond: Double
}

extension Server {
    /// The topics that cause most work: those with most deliveries lately, the first with most.
    ///
    /// Each loop keeps an account of up to 64 topics, whatever the number of all, by samples of its deliveries. A topic
    /// with a thirtieth of a loop's is as good as certain to be found. Costs a walk over these accounts; for loops it
    /// costs the same whether or not somebody asks. Any thread.
    public func busiestTopics(_ count: Int = 10) -> [TopicActivity] {
        ranking(count) { $0.deliveries }
    }

    /// The topics with the slowest subscribers: those of whose messages most were late lately, because a subscriber was
    /// behind, or did not come at all.
    ///
    /// A topic is named for its subscribers, each of which may have other topics that keep it busy; and one whose
    /// subscribers are slow is not named unless something is published. Costs what `busiestTopics` costs. Any thread.
    public func slowestTopics(_ count: Int = 10) -> [TopicActivity] {
        ranking(count) { $0.behind + $0.drops }
    }

    private typealias Rates = (deliveries: Double, behind: Double, drops: Double)

    private func ranking(_ count: Int, by figure: (Rates) -> Double) -> [TopicActivity] {
        let now = group.milliseconds
        var all: [Topic: Rates] = [:]
        for counters in core.counters {
            let meters = counters.topics
            for (topic, rate) in meters.deliveries.rates(at: now) { all[topic, default: (0, 0, 0)].deliveries += rate }
            for (topic, rate) in meters.behind.rates(at: now) { all[topic, default: (0, 0, 0)].behind += rate }
            for meter in [meters.drops, meters.foreignDrops] {
                for (topic, rate) in meter.rates(at: now) { all[topic, default: (0, 0, 0)].drops += rate }
            }
        }
        return all.filter { figure($0.value) > 0 }
            .sorted { (figure($0.value), $1.key.name) > (figure($1.value), $0.key.name) }
            .prefix(max(0, count))
            .map { topic, rates in
                TopicActivity(
                    topic: topic, subscriberCount: subscriberCount(of: topic),
                    deliveriesPerSecond: rates.deliveries, behindPerSecond: rates.behind, dropsPerSecond: rates.drops)
            }
    }
}
