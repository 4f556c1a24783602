import Testing

@testable import Ringcast

/// Topics found by samples; seconds of a clock that the test has.
@Suite struct TopicSamplerTests {
    private static let beginning: UInt64 = 50_000

    /// Counts publishes in turn for so many seconds, each so many events in its topic.
    private func sampled(_ publishes: [(topic: String, events: Int)], perSecond: Int, seconds: Int) -> TopicSampler {
        var sampler = TopicSampler()
        for second in 0..<seconds {
            let time = Self.beginning + UInt64(second) * 1_000
            for number in 0..<perSecond {
                let (topic, events) = publishes[number % publishes.count]
                sampler.count(events, of: .init(topic), at: time)
            }
        }
        return sampler
    }

    private func rates(_ sampler: TopicSampler, after seconds: Int) -> [String: Double] {
        let time = Self.beginning + UInt64(seconds) * 1_000
        return Dictionary(uniqueKeysWithValues: sampler.heavy.rates(at: time).map { ($0.key.name, $0.value) })
    }

    @Test func `what happens seldom is counted exactly, and fades by a tenth a second`() {
        var sampler = TopicSampler()
        sampler.count(9, of: "a", at: Self.beginning)
        sampler.count(18, of: "b", at: Self.beginning + 1)
        for (seconds, share) in [(1, 0.9), (2, 0.81), (3, 0.729)] {
            let rates = rates(sampler, after: seconds)
            #expect(abs(rates["a"]! - share) < 1e-9 && abs(rates["b"]! - 2 * share) < 1e-9)
        }
        #expect(rates(sampler, after: 100).isEmpty)
    }

    @Test func `what goes on has its rate`() {
        let sampler = sampled([("a", 1), ("b", 3)], perSecond: 100, seconds: 60)
        let rates = rates(sampler, after: 60)
        #expect(abs(rates["a"]! - 50) < 0.5 && abs(rates["b"]! - 150) < 1.5, "\(rates)")
    }

    /// A regular sample would meet one of two topics always, which have half of a step each.
    @Test func `topics that take turns are sampled alike`() {
        let sampler = sampled([("a", 512), ("b", 512)], perSecond: 20_000, seconds: 20)
        let rates = rates(sampler, after: 20)
        let (a, b) = (rates["a"] ?? 0, rates["b"] ?? 0)
        // Without the first seconds a rate of 5,120,000 would be reached; of it 12 % are missing by then.
        #expect(abs(a / b - 1) < 0.1, "\(a) \(b)")
        #expect(abs((a + b) / 10_240_000 - 0.88) < 0.05, "\(a) \(b)")
    }

    @Test func `topics are charged by their size, also where each publish is more than a step`() {
        let sampler = sampled([("small", 3_000), ("large", 90_000)], perSecond: 2_000, seconds: 20)
        let rates = rates(sampler, after: 20)
        let share = (rates["small"] ?? 0) / (rates["large"] ?? 1)
        #expect(abs(share * 30 - 1) < 0.3, "\(rates)")
        #expect(abs(rates["large"]! / 90_000_000 - 0.88) < 0.05, "\(rates)")
    }

    @Test func `few of many events are looked up`() {
        var sampler = TopicSampler()
        var samples = 0
        for _ in 0..<1_000_000 {
            let next = sampler.next
            sampler.count(1, of: "a", at: Self.beginning)
            if sampler.next != next { samples += 1 }
        }
        #expect(samples > TopicSampler.samplesPerStep && samples < 16 * TopicSampler.samplesPerStep)
    }

    @Test func `a quiet second behind a busy one is looked at closely again`() {
        var sampler = sampled([("busy", 1_000)], perSecond: 100_000, seconds: 3)
        for second in 3..<30 { sampler.count(10, of: "quiet", at: Self.beginning + UInt64(second) * 1_000) }
        // Long before the busy time's samples, which lie more than 10,000 events apart, would have met it.
        let rate = rates(sampler, after: 30)["quiet"] ?? 0
        #expect(rate > 5 && rate < 15, "\(rate)")
    }

    @Test func `one that has a twentieth is found among a hundred thousand, and the table is bounded`() {
        var (heavy, number) = (HeavyTopics(), 0)
        for _ in 0..<100_000 {
            number += 1
            heavy.add(1, of: number % 20 == 0 ? "heavy" : .init("topic \(number)"))
        }
        #expect(heavy.count == HeavyTopics.capacity)
        let rates = heavy.rates(at: 0)
        #expect(rates.max { $0.value < $1.value }?.key == "heavy")
        // What others had is not told: each of these has come once.
        #expect(rates.filter { $0.key != "heavy" }.allSatisfy { $0.value <= 1.0 / 9 + 1e-9 })
        #expect(rates["heavy"]! <= 5_000.0 / 9 + 1e-9)
    }
}
