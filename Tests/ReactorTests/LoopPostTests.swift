import ReactorTesting
import Testing

@testable import Reactor

@Suite(.endingAll) struct LoopPostTests {
    @Test func `what one turn posts arrives in order, however much it is`() {
        let clock = VirtualClock()
        let group = GroupState(loopCount: 2, placement: .kernel, clock: { _ in clock.milliseconds })
        let handlers = [RecordingHandler(), RecordingHandler()]
        let loops = (0..<2).map { index in
            SimulatedLoop(index: index, group: group, clock: clock) { _ in handlers[index] }
        }
        var arrived: [UInt64] = []
        handlers[1].onMessage = { arrived.append($0.number) }
        for number: UInt64 in 0..<10_000 {
            let isAccepted = loops[0].loop.post(numbered(number), to: 1)
            #expect(isAccepted)
        }
        for _ in 0..<100 {
            loops[0].turn()
            loops[1].rest()
            if arrived.count == 10_000 { break }
            #expect((loops[0].driver.sleep ?? 0) <= 10, "the rest would wait for another event")
        }
        #expect(arrived == Array(0..<10_000))
        loops[0].rest()
        #expect(loops[0].driver.sleep == .max)
    }

    @Test func `a turn takes no more messages once they have led to much`() {
        let handler = RecordingHandler()
        let loop = SimulatedLoop { _ in handler }
        var arrived: [UInt64] = []
        handler.onMessage = { message in
            arrived.append(message.number)
            handler.messageWork += 1_000
        }
        for number: UInt64 in 0..<100 { _ = loop.loop.post(numbered(number), to: 0) }
        var counts: [Int] = []
        while arrived.count < 100, counts.count < 100 {
            loop.turn()
            counts.append(arrived.count)
            if arrived.count < 100 { #expect(loop.driver.sleep == nil, "the rest would wait for another event") }
        }
        #expect(counts == [32, 64, 96, 100], "as many as make 16,384, taken 16 at a time")
        #expect(arrived == Array(0..<100))
    }

    @Test(arguments: [(work: UInt64(0), most: 4_096), (work: 4, most: 4_096), (work: 64, most: 272)])
    func `more messages are taken at a time while they lead to little`(work: UInt64, most: Int) {
        let handler = RecordingHandler()
        let loop = SimulatedLoop { _ in handler }
        var arrived: [UInt64] = []
        handler.onMessage = { message in
            arrived.append(message.number)
            handler.messageWork += work
        }
        for number: UInt64 in 0..<5_000 { _ = loop.loop.post(numbered(number), to: 0) }
        var counts: [Int] = []
        while arrived.count < 5_000, counts.count < 1_000 {
            let before = arrived.count
            loop.turn()
            counts.append(arrived.count - before)
        }
        // The bound is on what they have led to, and may be passed by 16 messages' worth.
        #expect(counts.allSatisfy { $0 <= most } && counts.count < 1_000)
        #expect(arrived == Array(0..<5_000))
    }

    @Test func `a loop may post to itself`() {
        let handler = RecordingHandler()
        let loop = SimulatedLoop { _ in handler }
        var arrived: [UInt64] = []
        handler.onMessage = { message in
            arrived.append(message.number)
            if message.number < 3 { _ = loop.loop.post(numbered(message.number + 1), to: 0) }
        }
        _ = loop.loop.post(numbered(0), to: 0)
        loop.rest()
        #expect(arrived == [0, 1, 2, 3])
    }

    @Test func `closures given to the executor run in order on the loop`() {
        let loop = SimulatedLoop { _ in RecordingHandler() }
        let order = VirtualClock(milliseconds: 0)
        let executor = loop.loop.executor
        for number: UInt64 in 0..<100 {
            executor.execute {
                #expect(order.milliseconds == number)
                #expect(executor.isCurrent)
                order.advance(1)
            }
        }
        loop.rest()
        #expect(order.milliseconds == 100)
        #expect(!executor.isCurrent)
    }
}

/// A message that is nothing but its number.
func numbered(_ number: UInt64) -> ServiceMessage { unsafe ServiceMessage(kind: 1, number: number) }
