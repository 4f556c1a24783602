import PubSub
import Reactor
import ReactorTesting
import Testing
import WebSocketProtocol

@testable import Ringcast

/// What becomes of a message that was accepted from another thread, when it comes to the socket's loop.
@Suite(.endingAll) struct ReferenceDropTests {
    /// As a reference on another thread posts it.
    private func deliver(_ text: String, to lifeline: SocketLifeline, on server: SimulatedServer) {
        let frame = unsafe text.withPayload { unsafe SharedFrame.encode($0, as: .text, owners: 1) }
        let message = LoopMessage.send(frame, slot: lifeline.slot, serial: lifeline.serial, compress: nil)
        server.simulation.loop.installedHandler.received(message.pack())
        server.rest()
    }

    private func drops(_ figure: KeyPath<LoopCounters, UInt64>, _ server: SimulatedServer) -> UInt64 {
        server.core.counters[0].load()[keyPath: figure]
    }

    @Test func `a message that finds its socket closing or gone is counted as dropped`() throws {
        let lifelines = Journal<WebSocketRef<Void>>()
        let handlers = WebSocketHandlers<Void>(
            open: { ws in lifelines.note(ws.reference) }, message: { ws, _ in ws.close() })
        let server = SimulatedServer(handlers)
        let socket = server.open()
        let lifeline = lifelines.wait()[0].lifeline
        deliver("in time", to: lifeline, on: server)
        #expect(socket.frames().map(\.text) == ["in time"] && drops(\.dropsClosed, server) == 0)
        socket.send("go")
        deliver("late", to: lifeline, on: server)
        #expect(drops(\.dropsClosed, server) == 1)
        socket.send(.close, [3, 232])
        deliver("later", to: lifeline, on: server)
        #expect(drops(\.dropsClosed, server) == 2)
        #expect(socket.frames().map(\.opcode) == [.close])
    }

    @Test func `a message to a connection that is over, of which its socket has not heard, is counted as dropped`() {
        let (references, results) = (Journal<WebSocketRef<Void>>(), Journal<SendResult>())
        let server = SimulatedServer(WebSocketHandlers<Void>(open: { ws in references.note(ws.reference) }))
        let socket = server.open()
        let reference = references.wait()[0]
        // One turn hears of both: the reset, and behind it the sends.
        socket.peer.reset()
        server.simulation.loop.executor.execute {
            results.note(reference.send("late"))
            results.note(reference.send([UInt8](repeating: 1, count: 10_000)))
        }
        server.rest()
        #expect(results.entries == [.dropped, .dropped] && drops(\.dropsClosed, server) == 2)
    }

    @Test func `a message for a socket that is gone does not reach the next one in its place`() {
        let lifelines = Journal<WebSocketRef<Void>>()
        let server = SimulatedServer(WebSocketHandlers<Void>(open: { ws in lifelines.note(ws.reference) }))
        let first = server.open()
        first.send(.close, [3, 232])
        let second = server.open()
        let (gone, present) = (lifelines.wait(for: 2)[0].lifeline, lifelines.entries[1].lifeline)
        #expect(gone.slot == present.slot, "the second has the first one's place")
        deliver("late", to: gone, on: server)
        #expect(second.frames() == [] && drops(\.dropsClosed, server) == 1)
        deliver("hello", to: present, on: server)
        #expect(second.frames().map(\.text) == ["hello"])
    }

    @Test func `a message that finds no room tells other threads of backpressure, until there is room`() {
        let lifelines = Journal<WebSocketRef<Void>>()
        let handlers = WebSocketHandlers<Void>(
            options: .init(backpressureLimit: 1_000),
            open: { ws in
                lifelines.note(ws.reference)
                ws.send([UInt8](repeating: 1, count: 2_000))
            })
        let server = SimulatedServer(handlers)
        let socket = server.open(window: 100)
        let lifeline = lifelines.wait()[0].lifeline
        #expect(lifeline.current == .open)
        deliver("too much", to: lifeline, on: server)
        #expect(drops(\.dropsAtLimit, server) == 1 && lifeline.current == .blocked)
        socket.peer.makeRoom(1_000_000)
        server.rest()
        #expect(lifeline.current == .open)
    }
}
