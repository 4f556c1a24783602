import ReactorTesting
import Testing

@testable import Reactor

/// TLS over a driver that answers in any order, cuts input anywhere and takes what it likes.
@Suite struct TLSModelTests {
    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `whatever the order of events, every byte comes back once and in order`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var options = SimulatedDriver.Options()
        options.seed = seed
        options.sendsInBatches = !random.oneIn(3)
        options.smallBuffers = (count: 16, byteCount: 256)
        let server = try TLSServer(TLSConfiguration(certificates: [TestAuthority().issue("localhost")]))
        let loop = SimulatedLoop(options, tls: server) { _ in Echo() }
        let talks = (0..<4).map { number in
            var choice = TLSPeer.Options()
            choice.isTLS12 = number % 2 == 0
            return Talk(loop, choice)
        }
        for _ in 0..<300 {
            guard let talk = talks.randomElement(using: &random) else { break }
            try talk.step(&random)
            loop.turn(Int.random(in: 0...2, using: &random))
        }
        for talk in talks {
            talk.socket.window = .max
            for _ in 0..<200 where talk.tls.received.count < talk.sent.count || !talk.tls.isSecured {
                try talk.carry(atMost: .max)
                loop.rest()
            }
            #expect(talk.tls.received == talk.sent)
            talk.socket.end()
        }
        loop.advance(milliseconds: 5_000)
        #expect(loop.loop.connectionCount == 0 && loop.driver.loanCount == 0)
    }
}

private final class Talk {
    let socket: SimulatedPeer
    let tls: TLSPeer
    private(set) var sent: [UInt8] = []
    private var unsent: [UInt8] = []

    init(_ loop: SimulatedLoop, _ options: TLSPeer.Options) {
        socket = loop.connect()
        tls = TLSPeer(options)
    }

    func step(_ random: inout SeededGenerator) throws {
        switch Int.random(in: 0..<4, using: &random) {
        case 0 where tls.isSecured:
            let count = random.oneIn(10) ? 40_000 : Int.random(in: 1...600, using: &random)
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            tls.send(bytes)
            sent += bytes
        case 1:
            socket.window = Int.random(in: 0...3_000, using: &random)
        case 2:
            socket.makeRoom(Int.random(in: 1...60_000, using: &random))
        default:
            try carry(atMost: Int.random(in: 1...4_000, using: &random))
        }
    }

    func carry(atMost limit: Int) throws {
        try tls.receive(socket.takeReceivedBytes())
        unsent += tls.takeOutput()
        let count = min(limit, unsent.count)
        if count > 0 { socket.send(Array(unsent[..<count])) }
        unsent.removeFirst(count)
    }
}
