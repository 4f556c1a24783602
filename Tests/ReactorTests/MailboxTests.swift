import Testing

@testable import Reactor

@Suite struct MailboxTests {
    @Test func `elements of a producer arrive in order`() {
        let mailbox = Mailbox<Int>(producers: 2, laneCapacity: 8)
        for number in 0..<6 {
            #expect(mailbox.push(number, from: number % 2))
        }
        #expect(mailbox.depth == 6)
        #expect(mailbox.takeAll() == [0, 2, 4, 1, 3, 5])
        #expect(mailbox.isEmpty && mailbox.depth == 0)
    }

    @Test func `a full lane overflows in order and never blocks`() {
        let mailbox = Mailbox<Int>(producers: 1, laneCapacity: 4, overflowLimit: 6)
        for number in 0..<10 {
            #expect(mailbox.push(number, from: 0))
        }
        #expect(!mailbox.push(10, from: 0), "lane and overflow are full")
        #expect(mailbox.depth == 10)
        #expect(mailbox.takeAll() == [0, 1, 2, 3])
        #expect(mailbox.isEmpty, "the rest is still the producer's")
        #expect(!mailbox.flushOverflow(from: 0))
        #expect(mailbox.push(11, from: 0), "the flush made room in the overflow")
        #expect(mailbox.takeAll() == [4, 5, 6, 7])
        #expect(mailbox.flushOverflow(from: 0))
        #expect(mailbox.takeAll() == [8, 9, 11])
        #expect(mailbox.depth == 0)
    }

    @Test func `an overflow is bounded in bytes too, with a watermark at a quarter`() {
        let mailbox = Mailbox<Int>(producers: 1, laneCapacity: 2, byteLimit: 100, byteCount: { $0 })
        #expect(mailbox.push(20, from: 0) && mailbox.push(20, from: 0), "what lies in the lane does not count here")
        #expect(mailbox.push(24, from: 0) && !mailbox.isPastWatermark(from: 0))
        #expect(mailbox.push(1, from: 0) && mailbox.isPastWatermark(from: 0))
        #expect(mailbox.push(74, from: 0))
        #expect(mailbox.push(50, from: 0), "the bound is the limit and one element")
        #expect(!mailbox.push(1, from: 0))
        #expect(mailbox.takeAll() == [20, 20])
        #expect(!mailbox.flushOverflow(from: 0))
        #expect(mailbox.isPastWatermark(from: 0) && !mailbox.push(1_000, from: 0), "124 wait")
        #expect(mailbox.takeAll() == [24, 1])
        #expect(!mailbox.flushOverflow(from: 0) && mailbox.isPastWatermark(from: 0), "50 wait")
        #expect(mailbox.takeAll() == [74])
        #expect(mailbox.flushOverflow(from: 0) && !mailbox.isPastWatermark(from: 0))
        #expect(mailbox.takeAll() == [50])
    }

    @Test func `a lane is bounded in bytes too, at the watermark`() {
        let mailbox = Mailbox<Int>(producers: 1, laneCapacity: 16, byteLimit: 100, byteCount: { $0 })
        for _ in 0..<3 {
            #expect(mailbox.push(24, from: 0) && mailbox.push(1_000, from: 0), "the bound is the limit and one element")
            #expect(mailbox.push(7, from: 0) && mailbox.push(18, from: 0) && mailbox.isPastWatermark(from: 0))
            #expect(mailbox.takeAll() == [24, 1_000], "the others are held back")
            #expect(mailbox.flushOverflow(from: 0) && !mailbox.isPastWatermark(from: 0))
            #expect(mailbox.push(0, from: 0))
            #expect(mailbox.takeAll() == [7, 18], "a full lane takes nothing, however small")
            #expect(mailbox.flushOverflow(from: 0))
            #expect(mailbox.takeAll() == [0])
        }
    }

    @Test func `so is the foreign lane`() {
        let mailbox = Mailbox<Int>(producers: 1, foreignCapacity: 16, byteLimit: 100, byteCount: { $0 })
        for round in 0..<3 {
            #expect(mailbox.push(foreign: 24) && !mailbox.isForeignLanePastWatermark, "round \(round)")
            #expect(mailbox.push(foreign: 75) && mailbox.isForeignLanePastWatermark)
            #expect(mailbox.push(foreign: 50))
            #expect(!mailbox.push(foreign: 0))
            #expect(mailbox.takeAll() == [24, 75, 50])
        }
        for _ in 0..<4 { #expect(!mailbox.isForeignLanePastWatermark && mailbox.push(foreign: 0)) }
        #expect(mailbox.isForeignLanePastWatermark, "4 of 16 elements")
    }

    @Test func `what is pushed behind an overflow stays behind it`() {
        let mailbox = Mailbox<Int>(producers: 1, laneCapacity: 2)
        var next = 0
        var taken: [Int] = []
        for round in 0..<100 {
            for _ in 0..<(round % 7) {
                #expect(mailbox.push(next, from: 0))
                next += 1
            }
            _ = mailbox.drain(limit: 3) { taken.append($0) }
        }
        while !mailbox.flushOverflow(from: 0) || !mailbox.isEmpty {
            taken += mailbox.takeAll()
        }
        #expect(taken == Array(0..<next))
    }

    @Test func `an urgent push is taken beyond all bounds, and stays behind what waits`() {
        let mailbox = Mailbox<Int>(producers: 1, laneCapacity: 2, overflowLimit: 2)
        for number in 0..<4 { #expect(mailbox.push(number, from: 0)) }
        #expect(!mailbox.push(4, from: 0), "lane and overflow are full")
        mailbox.pushUrgent(4, from: 0)
        #expect(mailbox.takeAll() == [0, 1])
        // The lane has room again, for what waits behind it.
        mailbox.pushUrgent(5, from: 0)
        #expect(mailbox.takeAll() == [2, 3])
        #expect(mailbox.flushOverflow(from: 0))
        #expect(mailbox.takeAll() == [4, 5])
    }

    @Test func `the foreign lane is bounded`() {
        let mailbox = Mailbox<Int>(producers: 1, foreignCapacity: 4)
        for round in 0..<10 {
            for number in 0..<4 {
                #expect(mailbox.push(foreign: round + number))
            }
            #expect(!mailbox.push(foreign: 99))
            #expect(mailbox.takeAll() == Array(round..<round + 4))
        }
    }

    @Test func `a limited drain starves no lane`() {
        let mailbox = Mailbox<Int>(producers: 130)
        for producer in [0, 63, 64, 129] {
            for _ in 0..<10 { #expect(mailbox.push(producer, from: producer)) }
        }
        for _ in 0..<10 { #expect(mailbox.push(foreign: 130)) }
        var seen: Set<Int> = []
        for _ in 0..<5 {
            #expect(mailbox.drain(limit: 4) { seen.insert($0) } == 4)
        }
        #expect(seen == [0, 63, 64, 129, 130])
        #expect(mailbox.takeAll().count == 30)
    }

    @Test func `a loop may push to its own mailbox while it drains`() {
        let mailbox = Mailbox<Int>(producers: 1)
        #expect(mailbox.push(0, from: 0))
        var taken: [Int] = []
        let first = mailbox.drain {
            taken.append($0)
            #expect(mailbox.push($0 + 1, from: 0))
        }
        #expect(first == 1, "what the body pushes waits for the next drain")
        #expect(!mailbox.isEmpty)
        #expect(mailbox.takeAll() == [1])
    }

    @Test func `a consumer sleeps only on an empty mailbox and is woken once`() {
        let mailbox = Mailbox<Int>(producers: 2)
        #expect(!mailbox.shouldWake(from: 0), "it is awake")
        #expect(mailbox.prepareToSleep())
        #expect(mailbox.push(1, from: 0))
        #expect(mailbox.push(foreign: 2))
        #expect(mailbox.shouldWake(from: 0))
        #expect(!mailbox.shouldWakeAfterForeignPush(), "somebody is already waking it")
        mailbox.wokeUp()
        #expect(!mailbox.prepareToSleep(), "there is something to do")
        #expect(!mailbox.shouldWake(from: 1))
        #expect(mailbox.takeAll() == [1, 2])
        #expect(mailbox.prepareToSleep())
    }

    @Test func `elements left behind are released with the mailbox`() {
        final class Witness: Sendable {}
        weak var witness: Witness?
        do {
            let mailbox = Mailbox<Witness>(producers: 1, laneCapacity: 2)
            let element = Witness()
            witness = element
            for _ in 0..<5 { #expect(mailbox.push(element, from: 0)) }
            #expect(mailbox.push(foreign: element))
            #expect(mailbox.drain(limit: 1) { _ in } == 1)
        }
        #expect(witness == nil)
    }

    @Test func `elements of any size and layout pass through`() {
        struct Wide: Sendable, Equatable {
            var bytes: (UInt8, UInt64, UInt8) = (1, 2, 3)
            var text = "a string that lies on the heap, as it is longer than fifteen bytes"
            static func == (one: Wide, other: Wide) -> Bool { one.bytes == other.bytes && one.text == other.text }
        }
        let mailbox = Mailbox<Wide>(producers: 1, laneCapacity: 4)
        for _ in 0..<100 {
            #expect(mailbox.push(Wide(), from: 0) && mailbox.push(foreign: Wide()))
            #expect(mailbox.takeAll() == [Wide(), Wide()])
        }
    }
}

extension Mailbox {
    func takeAll() -> [Element] {
        var taken: [Element] = []
        _ = drain { taken.append($0) }
        return taken
    }
}
