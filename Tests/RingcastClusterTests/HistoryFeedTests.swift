import RingcastTesting
import SimulatedKernel
import Synchronization
import Testing

@testable import Ringcast

/// A node whose engine the test plays: what it says may make no sense.
@Suite struct HistoryFeedTests {
    /// Takes note of what is asked for.
    private final class Script: HistoryBackplane {
        let node: ClusterNode
        let reads = Mutex<[(position: Position?, ticket: UInt64)]>([])

        init(_ node: ClusterNode) { self.node = node }

        func start() { node.noteConnected() }

        func stop() async {}

        func publish(_ payload: RawSpan, isText: Bool, to topic: Topic) -> BackplaneResult { .accepted }

        func setInterest(_ isInterested: Bool, in topic: Topic) {}

        func append(_ message: [UInt8], to topic: Topic, keeping bounds: TopicRule.History, retain: Bool)
            -> BackplaneResult
        { .accepted }

        func read(_ topic: Topic, after position: Position?, ticket: UInt64) {
            reads.withLock { $0.append((position, ticket)) }
        }
    }

    private final class ScriptBox: Sendable {
        let script = Mutex<Script?>(nil)
    }

    private let server: TestServer
    private let script: Script

    init() throws {
        let box = ScriptBox()
        server = try HistoryWorld.server(
            Cluster { node throws(ServerError) in
                let script = Script(node)
                box.script.withLock { $0 = script }
                return script
            })
        script = try #require(box.script.withLock { $0 })
    }

    private static func message(_ payload: [UInt8]) -> [UInt8] {
        unsafe payload.withUnsafeBytes { payload in
            unsafe SharedMessage.encode(
                payload, as: .text, of: "0123456789abcdef", except: nil, retain: false, compress: nil, isQuiet: false)
        }
    }

    private static func kept(_ offset: UInt64) -> HistoryPage.Message {
        HistoryPage.Message(offset: offset, age: .zero, bytes: message(Array("\(offset)".utf8)))
    }

    private func tell(_ offset: UInt64, _ payload: [UInt8]) {
        script.node.receive(Self.message(payload), at: Position(epoch: 5, offset: offset), of: "/room")
        server.rest()
    }

    private func answer(_ ticket: UInt64, first: UInt64, last: UInt64, _ offsets: [UInt64] = []) {
        script.node.receive(
            HistoryPage(
                topic: "/room", ticket: ticket, epoch: 5, first: first, last: last, messages: offsets.map(Self.kept)))
        server.rest()
    }

    private func takeReads() -> [(position: Position?, ticket: UInt64)] {
        script.reads.withLock { reads in
            defer { reads = [] }
            return reads
        }
    }

    @Test func `what comes too early waits as far as there is room, and is read beyond`() throws {
        let client = try server.connect("/room")
        server.rest()
        answer(takeReads()[0].ticket, first: 1, last: 1)
        for offset in UInt64(3)...6 { tell(offset, Array("\(offset)".utf8) + [UInt8](repeating: 0x20, count: 3 << 20)) }
        #expect(client.takeReceived().isEmpty)
        let reads = takeReads()
        #expect(reads.map(\.position?.offset) == [1])
        answer(reads[0].ticket, first: 1, last: 2, [2])
        func heard() -> [String] { client.takeReceived().map { String($0.string.prefix { $0 != " " }) } }
        #expect(heard() == ["2", "3", "4"])
        let more = takeReads()
        #expect(more.map(\.position?.offset) == [4])
        answer(more[0].ticket, first: 1, last: 6, [5, 6])
        #expect(heard() == ["5", "6"] && script.node.statistics.historyGaps == 0)
    }

    @Test func `who gives up waiting for an answer leaves nothing behind`() throws {
        for way in ["leave", "close"] {
            let client = try server.connect("/room?after=4.2")
            server.rest()
            #expect(waiters() == 1)
            if way == "close" { client.close() } else { client.send(way) }
            server.rest()
            #expect(waiters() == 0)
        }
    }

    private func waiters() -> Int {
        let count = Atomic(-1)
        script.node.onHome(of: "/room") { loop in
            count.store(loop.feeds["/room"]?.waiters.count ?? 0, ordering: .relaxed)
        }
        server.rest()
        return count.load(ordering: .relaxed)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `numbers that no history has do no harm`(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let large: [UInt64] = [1 << 48, .max, .max - 1, 1 << 63]
        func number() -> UInt64 {
            UInt8.random(in: 0..<12, using: &generator) == 0
                ? large.randomElement(using: &generator)! : .random(in: 0...9, using: &generator)
        }
        for _ in 0..<30 {
            let after = Bool.random(using: &generator) ? "?after=\(number()).\(number())" : ""
            let client = try server.connect("/room" + after)
            for _ in 0..<20 {
                let ticket = takeReads().randomElement(using: &generator)?.ticket ?? number()
                let messages = (0..<number() % 10).map { _ in Self.kept(number()) }
                let earlier = (0..<number() % 3).map { _ in Position(epoch: number(), offset: number()) }
                let isSorted = Bool.random(using: &generator)
                let page = HistoryPage(
                    topic: "/room", ticket: ticket, epoch: number(), earlier: earlier, first: number(), last: number(),
                    messages: isSorted ? messages.sorted { $0.offset < $1.offset } : messages,
                    retained: Bool.random(using: &generator) ? Self.kept(number()) : nil)
                script.node.receive(page)
                script.node.receive(
                    Self.message([0x61]), at: Position(epoch: number(), offset: number()), of: "/room")
                if number() == 0 { script.node.noteFollowing("/room") }
                server.rest()
            }
            client.close()
            if Bool.random(using: &generator) { server.advance(by: .seconds(6)) }
        }
    }
}
