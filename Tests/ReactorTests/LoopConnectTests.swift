import Glibc
import ReactorTesting
import SystemCalls
import Testing

@testable import Reactor

/// Outbound connections, on a simulated driver: it watches that nothing is asked of a socket that is not connected.
@Suite struct LoopConnectTests {
    private final class Handler: ConnectionHandler {
        var events: [String] = []
        var onConnected: (Connection) -> Void = { _ in }

        func connected(_ connection: Connection) {
            events.append("connected")
            onConnected(connection)
        }

        func received(_ bytes: inout MutableRawSpan, on connection: Connection) -> Int {
            events.append("received \(bytes.byteCount)")
            return bytes.byteCount
        }

        func deadlineReached(_ connection: Connection) {
            events.append("deadline")
            connection.abort()
        }

        func closed(_ connection: Connection, _ reason: DisconnectReason) { events.append("closed \(reason)") }
        func wakeTimeReached() { events.append("woken") }
    }

    private let handler = Handler()
    private let address = ConnectAddress(host: "192.0.2.1", port: 80)!

    private func makeLoop() -> SimulatedLoop { SimulatedLoop { _ in handler } }

    private func connect(_ loop: SimulatedLoop) throws -> (ConnectionSlot, SimulatedPeer) {
        let slot = try unsafe loop.loop.connect(to: address, context: nil)
        loop.rest()
        return (slot, try #require(loop.driver.outboundPeers.last))
    }

    @Test func `a connection is told when it is there, and is like any other then`() throws {
        let loop = makeLoop()
        handler.onConnected = { $0.send("hello") }
        let (slot, peer) = try connect(loop)
        #expect(handler.events == [] && loop.loop.connectionCount == 1)
        peer.connectResult = 0
        loop.rest()
        #expect(handler.events == ["connected"] && peer.receivedBytes == Array("hello".utf8))
        peer.send([1, 2, 3])
        loop.rest()
        Connection(slot).close()
        peer.end()
        loop.rest()
        #expect(handler.events == ["connected", "received 3", "closed local"])
        #expect(loop.driver.openCount == 0 && loop.loop.statistics.connections.value == 0)
    }

    @Test func `a connection that fails says with what, and leaves nothing`() throws {
        let loop = makeLoop()
        let (_, peer) = try connect(loop)
        peer.connectResult = ECONNREFUSED
        loop.rest()
        #expect(handler.events == ["closed error(\(ECONNREFUSED))"])
        #expect(loop.driver.openCount == 0 && loop.loop.connectionCount == 0)
    }

    @Test(arguments: [true, false])
    func `one that is given up while it is under way leaves nothing`(_ isClosed: Bool) throws {
        let loop = makeLoop()
        let (slot, _) = try connect(loop)
        if isClosed { Connection(slot).close() } else { Connection(slot).abort() }
        loop.rest()
        #expect(handler.events == ["closed local"])
        #expect(loop.driver.openCount == 0 && loop.loop.connectionCount == 0)
    }

    @Test func `a deadline holds before there is a connection`() throws {
        let loop = makeLoop()
        let (slot, _) = try connect(loop)
        Connection(slot).setDeadline(loop.loop.now + 1_000)
        loop.advance(milliseconds: 900)
        #expect(handler.events == [])
        loop.advance(milliseconds: 300)
        #expect(handler.events == ["deadline", "closed local"] && loop.driver.openCount == 0)
    }

    @Test func `without a socket there is an error, and nothing else`() {
        let loop = makeLoop()
        loop.driver.socketErrors = [EMFILE]
        #expect(throws: SystemError.tooManyOpenFiles) { try unsafe loop.loop.connect(to: address, context: nil) }
        loop.rest()
        #expect(handler.events == [] && loop.loop.connectionCount == 0)
    }

    @Test func `a loop that stops connects no more, and ends what is under way at its cut`() throws {
        let loop = makeLoop()
        _ = try connect(loop)
        loop.loop.cutConnections(at: loop.loop.now + 100)
        loop.stop()
        #expect(handler.events == ["closed local"])
        #expect(throws: SystemError.canceled) { try unsafe loop.loop.connect(to: address, context: nil) }
    }

    @Test func `the handler is woken when it asked for it, at the earliest of its times`() {
        let loop = makeLoop()
        loop.loop.wakeHandler(at: loop.loop.now + 500)
        loop.loop.wakeHandler(at: loop.loop.now + 200)
        loop.advance(milliseconds: 199)
        #expect(handler.events == [])
        loop.advance(milliseconds: 1)
        loop.advance(milliseconds: 1_000)
        #expect(handler.events == ["woken"])
    }

    @Test func `addresses are what they say`() {
        #expect(address.description == "192.0.2.1:80" && !address.isIPv6 && !address.isUnix)
        #expect(ConnectAddress(host: "2001:db8::1", port: 443)?.description == "[2001:db8::1]:443")
        #expect(ConnectAddress(host: "example.com", port: 80) == nil && ConnectAddress(host: "", port: 80) == nil)
        #expect(ConnectAddress(unixPath: "/run/x")?.isUnix == true && ConnectAddress(unixPath: "@name")?.isUnix == true)
        let longest = String(repeating: "x", count: 107)
        #expect(ConnectAddress(unixPath: longest) != nil && ConnectAddress(unixPath: longest + "x") == nil)
        #expect(ConnectAddress(unixPath: "") == nil && ConnectAddress(unixPath: "a\0b") == nil)
    }
}
