import ReactorTesting
import Testing

@testable import Reactor

@Suite struct TimerWheelTests {
    @Test func `a timer costs 12 bytes`() {
        #expect(MemoryLayout<TimerWheel.Entry>.stride == 12)
    }

    @Test func `a deadline fires never early and less than a tick late`() {
        for deadline: UInt64 in [1_001, 1_063, 1_064, 1_065, 5_000, 132_072, 1_000_000] {
            let wheel = TimerWheel(now: 1_000)
            wheel.schedule(7, at: deadline)
            var now: UInt64 = 1_000
            while wheel.fired(to: now).isEmpty { now += 1 }
            #expect(now >= deadline && now < deadline + TimerWheel.tick)
            #expect(wheel.nextDeadline == nil)
        }
    }

    @Test func `a deadline that is past fires with the next tick`() {
        let wheel = TimerWheel(now: 1_000)
        #expect(wheel.fired(to: 2_000) == [])
        wheel.schedule(1, at: 0)
        #expect(wheel.fired(to: 2_000) == [])
        #expect(wheel.fired(to: 2_064) == [1])
    }

    @Test func `a key has one deadline, the last one scheduled`() {
        let wheel = TimerWheel(now: 0)
        wheel.schedule(1, at: 10_000)
        wheel.schedule(1, at: 500)
        wheel.schedule(2, at: 500)
        wheel.schedule(2, at: 10_000)
        #expect(wheel.fired(to: 600) == [1])
        #expect(wheel.fired(to: 20_000) == [2])
    }

    @Test func `a deadline a day ahead survives hundreds of rotations`() {
        let day: UInt64 = 24 * 3_600 * 1_000
        let wheel = TimerWheel(now: 0)
        wheel.schedule(3, at: day)
        var wakes = 0
        while let next = wheel.nextDeadline, next < day {
            #expect(wheel.fired(to: next) == [])
            wakes += 1
        }
        #expect(wakes < 700, "one superfluous wake-up per rotation at most")
        #expect(wheel.fired(to: day + TimerWheel.tick) == [3])
    }

    @Test func `a deadline at the end of time never fires`() {
        let wheel = TimerWheel(now: 5)
        wheel.schedule(0, at: .max)
        #expect(wheel.fired(to: .max) == [])
        wheel.schedule(1, at: 17)
        #expect(wheel.fired(to: .max) == [])
    }

    @Test func `deadlines fire in the order of their ticks after a long pause`() {
        let wheel = TimerWheel(now: 0)
        for key in 0..<100 { wheel.schedule(UInt32(key), at: UInt64(100 - key) * 640) }
        #expect(wheel.fired(to: 120_000) == (0..<100).reversed().map(UInt32.init))
    }

    @Test func `a firing timer may schedule and cancel every key`() {
        let wheel = TimerWheel(now: 0)
        for key: UInt32 in 0..<6 { wheel.schedule(key, at: 100) }
        var fired: [UInt32] = []
        var spared: UInt32 = 0
        wheel.advance(to: 128) { key in
            fired.append(key)
            if fired.count == 1 {
                spared = key == 2 ? 3 : 2
                for other: UInt32 in 0..<6 where other != key && other != spared { wheel.cancel(other) }
                wheel.schedule(key, at: 0)
                wheel.schedule(1_000, at: 300)
            }
        }
        #expect(fired.count == 2 && fired.last == spared)
        #expect(wheel.fired(to: 192) == [fired[0]])
        #expect(wheel.fired(to: 320) == [1_000])
    }

    @Test func `a clock that stands still or goes back fires nothing`() {
        let wheel = TimerWheel(now: 10_000)
        wheel.schedule(0, at: 10_001)
        #expect(wheel.fired(to: 10_000) == [])
        #expect(wheel.fired(to: 0) == [])
        #expect(wheel.fired(to: 10_064) == [0])
    }

    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
    func `the wheel agrees with a dictionary of deadlines`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var model: [UInt32: UInt64] = [:]
        let start = UInt64.random(in: 0..<1_000_000, using: &random)
        let wheel = TimerWheel(now: start)
        var now = start
        for _ in 0..<20_000 {
            let key = UInt32.random(in: 0..<3_000, using: &random)
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<6:
                let reach: UInt64 = [100, 5_000, 200_000, 86_400_000].randomElement(using: &random)!
                let deadline = now + UInt64.random(in: 0..<reach, using: &random)
                wheel.schedule(key, at: deadline)
                model[key] = deadline
            case 6..<8:
                wheel.cancel(key)
                model[key] = nil
            default:
                let reach: UInt64 = [10, 1_000, 300_000].randomElement(using: &random)!
                now += UInt64.random(in: 0..<reach, using: &random)
                for key in wheel.fired(to: now) {
                    let deadline = model.removeValue(forKey: key)
                    #expect(deadline != nil && deadline! <= now, "seed \(seed): early, or had none")
                }
                let late = model.values.filter { $0 + TimerWheel.tick <= now }
                // One scheduled in the past waits for a tick of its own.
                #expect(late.isEmpty, "seed \(seed): late \(late) at \(now)")
                if let earliest = model.values.min() {
                    #expect(wheel.nextDeadline! <= max(earliest, now) + TimerWheel.tick, "seed \(seed)")
                    #expect(wheel.nextDeadline! > now, "seed \(seed): it makes progress")
                } else {
                    #expect(wheel.nextDeadline == nil)
                }
            }
        }
    }

    @Test func `what a limit leaves fires first the next time, if it was not taken back`() {
        let wheel = TimerWheel(now: 0)
        for key: UInt32 in 0..<10 { wheel.schedule(key, at: 64 * UInt64(key + 1)) }
        var fired: [UInt32] = []
        wheel.advance(to: 640, limit: 3) { fired.append($0) }
        #expect(fired == [0, 1, 2] && wheel.nextDeadline.map { $0 <= 640 } == true)
        wheel.cancel(3)
        wheel.schedule(4, at: 6_400)
        wheel.schedule(20, at: 700)
        wheel.advance(to: 640, limit: 3) { fired.append($0) }
        #expect(fired == [0, 1, 2, 5, 6, 7])
        wheel.advance(to: 1_000, limit: 3) { fired.append($0) }
        #expect(fired == [0, 1, 2, 5, 6, 7, 8, 9, 20])
        wheel.advance(to: 6_400) { fired.append($0) }
        #expect(fired.last == 4 && wheel.nextDeadline == nil)
    }
}

extension TimerWheel {
    func fired(to now: UInt64) -> [UInt32] {
        var keys: [UInt32] = []
        advance(to: now) { keys.append($0) }
        return keys
    }
}
