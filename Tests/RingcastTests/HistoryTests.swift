import PubSub
import ReactorTesting
import Testing
import WebSocketProtocol

@testable import Ringcast

/// Topics that remember, over simulated loops: what users see of it.
@Suite(.endingAll) struct HistoryTests {
    /// Sockets that resume a topic behind what their query names, and publish to it what they say.
    private static func server(
        loops: Int = 2, options: WebSocketOptions = .init(idleTimeout: .zero, publishToSelf: true),
        _ topics: [TopicRule] = [.matching("room", history: .init(messages: 100), stamping: .json)]
    ) -> SimulatedServer {
        let handlers = WebSocketHandlers<Position?>(
            options: options,
            open: { ws in ws.sendText("\(ws.subscribe(to: "room", after: ws.data))") },
            message: { ws, message in ws.publish(message, to: "room") })
        return SimulatedServer(loops: loops, { $0.topics = topics }) { request in
            .upgrade(to: handlers, with: request.query("after").flatMap { Position($0) })
        }
    }

    private static func open(_ server: SimulatedServer, on loop: Int, after position: Position?) -> SimulatedSocket {
        server.open(on: loop, path: position.map { "/?after=\($0)" } ?? "/")
    }

    @Test(arguments: 0..<2) func `who comes again on any loop gets what it has missed, and says so`(loop: Int) throws {
        let server = Self.server()
        let ann = Self.open(server, on: 0, after: nil)
        for number in 1...3 { ann.send("{\"n\":\(number)}") }
        let heard = ann.frames().map(\.text)
        let epoch = try #require(server.server.position(of: "room")).epoch
        #expect(heard == ["new"] + (1...3).map { "{\"n\":\($0),\"position\":\"\(epoch).\($0)\"}" })
        let bob = Self.open(server, on: loop, after: Position(epoch: epoch, offset: 1))
        #expect(bob.frames().map(\.text) == Array(heard[2...]) + ["resumed(2)"])
        server.server.publish("{}", to: "room")
        server.rest()
        #expect(bob.frames().map(\.text) == ["{\"position\":\"\(epoch).4\"}"])
        let eve = Self.open(server, on: loop, after: Position(epoch: epoch + 1, offset: 1))
        #expect(eve.frames().map(\.text) == ["gap"])
        #expect(server.server.history(of: "room", last: 2).map(\.position.offset) == [3, 4])
        #expect(server.server.history(of: "room").first?.message == .text(heard[1]))
    }

    @Test func `a message is kept though nobody is there, whoever publishes it`() {
        let server = Self.server()
        #expect(server.server.publish("{}", to: "room") == .sent(bytes: 2))
        server.rest()
        #expect(server.server.historyUsage.topics == 1)
        let late = Self.open(server, on: 1, after: .oldest)
        #expect(late.frames().map(\.text).last == "resumed(1)")
        #expect(server.server.clearHistory(of: "room") == 1 && server.server.historyUsage.topics == 0)
    }

    @Test func `a topic without history has no position, and whoever has one is told of a gap`() {
        let server = Self.server([.matching("other", history: .init(messages: 1))])
        let ann = Self.open(server, on: 0, after: Position(epoch: 1, offset: 1))
        #expect(ann.frames().map(\.text) == ["gap"])
        #expect(server.server.position(of: "room") == nil && server.server.history(of: "room").isEmpty)
    }

    @Test func `a history makes the order total, and nothing takes that back`() {
        let server = Self.server()
        server.server.setOrder(.perPublisher, for: "room")
        #expect(server.server.order(of: "room") == .total)
        let ann = Self.open(server, on: 0, after: nil)
        ann.send("{}")
        #expect(server.server.position(of: "room")?.offset == 1)
    }

    @Test func `what is not an object, or not text, is stamped with nothing`() {
        let server = Self.server()
        let ann = Self.open(server, on: 1, after: nil)
        for text in ["[1]", "\"{}\"", "{", "}", "", "{}x"] { ann.send(text) }
        ann.send(.binary, Array("{}".utf8))
        #expect(ann.frames().dropFirst().map(\.text) == ["[1]", "\"{}\"", "{", "}", "", "{}x", "{}"])
        ann.send(" { \"a\" : {} \n} \n")
        let epoch = server.server.position(of: "room")!.epoch
        #expect(ann.frames().map(\.text) == [" { \"a\" : {},\"position\":\"\(epoch).8\"}"])
    }

    @Test func `what is replayed beyond the limit follows the topic's policy, and is counted`() {
        let server = Self.server(
            loops: 1, options: .init(backpressureLimit: 300, idleTimeout: .zero, publishToSelf: true),
            [.matching("room", slowConsumerPolicy: .close(.tryAgainLater), history: .init(messages: 100))])
        for _ in 0..<10 { server.server.publish(String(repeating: "x", count: 100), to: "room") }
        server.rest()
        let late = Self.open(server, on: 0, after: .oldest)
        let frames = late.frames()
        #expect(frames.last?.opcode == .close && frames.count < 8)
        let totals = server.server.totals
        #expect(totals.deliveries < 8)
        // The eleventh is what the open handler sends behind them.
        #expect(totals.deliveries + totals.dropsAtLimit + totals.dropsClosed == 11, "\(totals)")
    }

    @Test func `resumptions and gaps are counted`() {
        let server = Self.server()
        _ = Self.open(server, on: 0, after: nil)
        _ = Self.open(server, on: 0, after: .oldest)
        _ = Self.open(server, on: 1, after: Position(epoch: 1, offset: 1))
        let family = server.server.metrics.first { $0.name == "ringcast_resumptions_total" }
        #expect(family?.samples.map(\.value) == [.integer(1), .integer(1)])
    }
}
