import Glibc
import Logging
import Reactor
import ReactorTesting
import Testing

@testable import Ringcast

/// Happy eyeballs (RFC 8305 §5): which address of a host is tried when, in virtual time.
@Suite(.endingAll) struct ClientEyeballsTests {
    /// A client's loop, and an attempt on it that has several addresses.
    private final class Race {
        let simulation: SimulatedLoop
        let core: SocketCore
        let outcome = Outcome()
        private var loop: SocketLoop?

        init() {
            var configuration = ServerConfiguration(port: 0)
            configuration.logger.logLevel = .critical
            // Names stay unanswered: `resolve` says what they are.
            let resolver = Resolver(threadLimit: 0)
            let core = SocketCore(configuration: configuration, loopCount: 1, resolver: resolver)
            var made: SocketLoop?
            simulation = SimulatedLoop { loop in
                let loop = SocketLoop(core: core, loop: loop)
                made = loop
                return loop
            }
            self.core = core
            loop = made
            TestEnd.current?.add(self) { $0.simulation.stop() }
        }

        /// `localhost` is `::1` and `127.0.0.1`, and asks nobody.
        func begin(_ url: String = "ws://localhost:80/", timeout: Duration = .seconds(10)) throws {
            var request = try ClientRequest(url)
            request.handshakeTimeout = timeout
            let upgrade = Upgrade(to: outcome.handlers, with: (), headers: [:], subprotocol: nil)
            loop?.connect(1, request, upgrade, tls: nil) { [outcome] in outcome.failures.note($0) }
            simulation.rest()
        }

        /// The host turns out to have these addresses.
        func resolve(_ hosts: [String]) {
            let addresses = hosts.compactMap { ConnectAddress(host: $0, port: 80) }
            attempt?.resolved(ConnectionAttempt.interleaved(addresses))
            simulation.rest()
        }

        var attempt: ConnectionAttempt? { loop?.attempts[1] }
        var tried: [String] { simulation.driver.outboundAddresses.map(\.description) }
        var openCount: Int { simulation.driver.openCount }
        func advance(_ milliseconds: UInt64) { simulation.advance(milliseconds: milliseconds) }

        func answer(_ index: Int, _ result: Int32 = 0) {
            simulation.driver.outboundPeers[index].connectResult = result
            simulation.rest()
        }

        /// The server of that connection accepts the handshake.
        func accept(_ index: Int) {
            let peer = simulation.driver.outboundPeers[index]
            let head = String(decoding: peer.takeReceivedBytes(), as: UTF8.self)
            peer.send(Array(ScriptedPeer.answer(to: head).utf8))
            simulation.rest()
        }
    }

    @Test func `the second family is tried after a quarter of a second in which the first says nothing`() throws {
        let race = Race()
        try race.begin()
        #expect(race.tried == ["[::1]:80"])
        race.advance(249)
        #expect(race.tried == ["[::1]:80"])
        // The loop's deadlines are rounded up to a tick.
        race.advance(1 + TimerWheel.tick)
        #expect(race.tried == ["[::1]:80", "127.0.0.1:80"] && race.openCount == 2)
        race.answer(1)
        #expect(race.openCount == 1)
        race.accept(1)
        #expect(race.outcome.journal.entries == ["open -"] && race.outcome.failures.entries == [])
        race.advance(20_000)
        #expect(race.openCount == 1 && race.tried.count == 2)
    }

    @Test func `the first may still win while the second is under way`() throws {
        let race = Race()
        try race.begin()
        race.advance(400)
        #expect(race.openCount == 2)
        race.answer(0)
        race.accept(0)
        #expect(race.outcome.journal.entries == ["open -"] && race.openCount == 1)
    }

    @Test func `an answer within the delay leaves the second untried`() throws {
        let race = Race()
        try race.begin()
        race.advance(200)
        race.answer(0)
        race.accept(0)
        race.advance(5_000)
        #expect(race.outcome.journal.entries == ["open -"] && race.tried == ["[::1]:80"])
    }

    @Test func `a refusal makes room for the next at once`() throws {
        let race = Race()
        try race.begin()
        race.answer(0, ECONNREFUSED)
        #expect(race.tried == ["[::1]:80", "127.0.0.1:80"] && race.openCount == 1)
        race.answer(1, ECONNREFUSED)
        #expect(race.outcome.failures.entries == [.cannotConnect(to: "127.0.0.1:80", "Connection refused")])
        #expect(race.openCount == 0 && race.attempt == nil)
    }

    @Test func `families are tried by turns, each a delay behind the last`() throws {
        let race = Race()
        try race.begin("ws://host.invalid/")
        race.resolve(["2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2"])
        let order = ["[2001:db8::1]:80", "192.0.2.1:80", "[2001:db8::2]:80", "192.0.2.2:80"]
        for count in 1...4 {
            #expect(race.tried == Array(order.prefix(count)))
            race.advance(350)
        }
        // One that fails while others are under way changes nothing for them.
        race.answer(1, EHOSTUNREACH)
        #expect(race.openCount == 3 && race.outcome.failures.entries == [])
        race.answer(2)
        race.accept(2)
        #expect(race.outcome.journal.entries == ["open -"] && race.openCount == 1)
    }

    @Test func `one deadline covers all addresses, and nothing is left behind it`() throws {
        let race = Race()
        try race.begin(timeout: .seconds(2))
        race.advance(1_900)
        #expect(race.openCount == 2 && race.outcome.failures.entries == [])
        race.advance(300)
        #expect(race.outcome.failures.entries == [.timedOut(.connection)])
        #expect(race.openCount == 0 && race.attempt == nil)
    }

    @Test func `a race that is given up leaves nothing`() throws {
        let race = Race()
        try race.begin()
        race.advance(400)
        weak let attempt = race.attempt
        race.attempt?.fail(.cancelled)
        race.simulation.rest()
        #expect(race.outcome.failures.entries == [.cancelled])
        #expect(race.openCount == 0 && race.attempt == nil && attempt == nil)
    }

    @Test func `a name that is found behind its attempt's end connects nobody`() throws {
        let race = Race()
        try race.begin("ws://no-such-host.invalid/")
        weak let attempt = race.attempt
        // Unless the resolver was quicker than this thread.
        attempt?.fail(.cancelled)
        race.resolve(["192.0.2.1"])
        race.advance(20_000)
        #expect(race.outcome.failures.entries.count == 1)
        #expect(race.tried == [] && race.attempt == nil && attempt == nil)
    }
}
