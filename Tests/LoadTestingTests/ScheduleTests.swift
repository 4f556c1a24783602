import LoadTesting
import Testing

@Suite struct ScheduleTests {
    /// All that is due by a moment, tick by tick.
    private func drain(_ schedule: inout OpenLoopSchedule, by now: UInt64) -> [(intended: UInt64, count: Int)] {
        var ticks: [(UInt64, Int)] = []
        while let due = schedule.due(by: now) { ticks.append(due) }
        return ticks
    }

    @Test func `a slow rate sends one message per tick, at its time`() {
        var schedule = OpenLoopSchedule(rate: 100, start: 1_000)
        #expect(schedule.tick == 10_000_000)
        #expect(schedule.due(by: 10_000_999) == nil)
        let first = schedule.due(by: 10_001_000)
        #expect(first?.intended == 10_001_000 && first?.count == 1)
        #expect(schedule.due(by: 10_001_000) == nil)
    }

    @Test(arguments: [1, 7, 333.3, 1_000, 12_345, 1_000_000.0])
    func `after ten seconds the rate has been kept`(rate: Double) {
        var schedule = OpenLoopSchedule(rate: rate, start: 0)
        let sent = drain(&schedule, by: 10_000_000_000).reduce(0) { $0 + $1.count }
        #expect(abs(Double(sent) - rate * 10) <= max(1, rate / 10_000))
    }

    @Test func `ticks that were missed are made up for, with the time they were meant for`() {
        var schedule = OpenLoopSchedule(rate: 1_000, start: 0)
        let ticks = drain(&schedule, by: 5_000_000)
        #expect(ticks.map(\.intended) == [1_000_000, 2_000_000, 3_000_000, 4_000_000, 5_000_000])
        #expect(ticks.allSatisfy { $0.count == 1 })
    }

    @Test func `high rates come in at most ten thousand ticks a second`() {
        var schedule = OpenLoopSchedule(rate: 1_000_000, start: 0)
        let ticks = drain(&schedule, by: 1_000_000_000)
        #expect(ticks.count == 10_000 && ticks.allSatisfy { $0.count == 100 })
    }

    @Test func `latency counts from the time a message was meant to be sent`() throws {
        var latency = LatencyRecorder()
        for _ in 0..<99 { latency.record(intended: 1_000_000, now: 1_100_000) }
        latency.record(intended: 1_000_000, now: 101_000_000)
        let summary = try #require(latency.summary)
        #expect(abs(summary.p50 - 100) < 1 && abs(summary.max - 100_000) < 500)
        #expect(latency.count == 100)
    }

    @Test func `a clock that seems to run backwards is no latency`() throws {
        var latency = LatencyRecorder()
        latency.record(intended: 2_000, now: 1_000)
        let summary = try #require(latency.summary)
        #expect(summary.max < 1)
    }

    @Test func `a latency beyond ten minutes is ten minutes`() throws {
        var latency = LatencyRecorder()
        latency.record(intended: 0, now: .max)
        let summary = try #require(latency.summary)
        #expect(latency.count == 1 && abs(summary.max - 6e8) < 1e6)
    }

    @Test func `recorders add up`() throws {
        var one = LatencyRecorder()
        var two = LatencyRecorder()
        one.record(intended: 0, now: 10_000)
        two.record(intended: 0, now: 90_000)
        one.add(two)
        let summary = try #require(one.summary)
        #expect(one.count == 2 && summary.max > 80)
        one.reset()
        #expect(one.count == 0 && one.summary == nil)
    }

    @Test func `what was to be sent in the warm-up is not recorded`() {
        var latency = LatencyRecorder()
        latency.beginsAt = 5_000
        latency.record(intended: 4_999, now: 900_000)
        #expect(latency.summary == nil)
        latency.record(intended: 5_000, now: 900_000)
        latency.reset()
        latency.record(intended: 4_999, now: 900_000)
        #expect(latency.count == 0)
    }

    @Test func `what was due and not asked for is overdue`() {
        var schedule = OpenLoopSchedule(rate: 1_000, start: 500_000)
        #expect(schedule.overdue(at: 0) == 0)
        _ = drain(&schedule, by: 2_500_000)
        #expect(schedule.overdue(at: 2_500_000) == 0)
        #expect(schedule.overdue(at: 10_500_000) == 8)
        let quick = OpenLoopSchedule(rate: 100_000, start: 0)
        #expect(quick.overdue(at: 150_000) == 10, "ten a tick, and none before it")
    }
}
