import Foundation
import PubSub
import ReactorTesting
import Testing
import WebSocketProtocol

@testable import Ringcast

/// Random use of topics with history over simulated loops, which take their turns at random: clients that leave at any
/// moment and resume on another loop, publishers on every loop and on threads that are none, histories that are short
/// or emptied. Each client checks what it gets: the messages behind its position, each once, in order; or a gap.
@Suite(.endingAll) struct HistoryModelTests {
    /// So many, or `RINGCAST_HISTORY_SEEDS`, from `RINGCAST_SEED` on.
    @Test func `who resumes gets exactly what it has missed`() {
        let environment = ProcessInfo.processInfo.environment
        let first = environment["RINGCAST_SEED"].flatMap { UInt64($0) } ?? .random(in: 0...UInt64.max / 2)
        let count = environment["RINGCAST_HISTORY_SEEDS"].flatMap { UInt64($0) } ?? 30
        var (resumed, replayed, gaps) = (0, 0, 0)
        for seed in first..<first + count {
            let scene = HistoryScene(seed: seed)
            scene.play(steps: 300)
            for fault in scene.faults.prefix(3) { Issue.record("RINGCAST_SEED=\(seed): \(fault)") }
            resumed += scene.resumedCount
            replayed += scene.replayedCount
            gaps += scene.gapCount
        }
        #expect(resumed > count && replayed > count && gaps > 0)
        if count > 30 {
            print("\(count) seeds from \(first): \(resumed) resumed with \(replayed) messages, \(gaps) gaps")
        }
    }
}

private final class HistoryScene {
    private static let topicCount = 3
    private let loopCount: Int
    private let topics: [String]

    /// A client, whether or not it has a connection. What it hears of each topic has to go on without a gap.
    private final class Client {
        var socket: SimulatedSocket?
        /// By topic: the last message that came.
        var positions = [Position?](repeating: nil, count: HistoryScene.topicCount)
    }

    private var random: SeededGenerator
    private let server: SimulatedServer
    private let clients = (0..<8).map { _ in Client() }
    private(set) var faults: [String] = []
    private(set) var resumedCount = 0
    private(set) var replayedCount = 0
    private(set) var gapCount = 0

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        let loopCount = Int.random(in: 1...8, using: &random)
        let topics = (0..<Self.topicCount).map { "room \($0)" }
        (self.loopCount, self.topics) = (loopCount, topics)
        let handlers = WebSocketHandlers<Void>(
            options: .init(idleTimeout: .zero, publishToSelf: true),
            message: { ws, message in
                let words = message.string.split(separator: " ")
                let topic = Topic(topics[Int(words[1])!])
                switch words[0] {
                case "resume":
                    let result = ws.subscribe(to: topic, after: words.count > 2 ? Position(String(words[2])) : nil)
                    ws.send("result \(words[1]) \(result)")
                case "leave": ws.unsubscribe(from: topic)
                default: ws.publish("\(words[1])", to: topic)
                }
            })
        let messages = Int.random(in: 1...16, using: &random)
        server = SimulatedServer(handlers, loops: loopCount) {
            $0.topics = [
                .matching(
                    "*", history: .init(messages: messages),
                    stamping: .custom { message, position in
                        guard case .text(let text) = message else { return message }
                        return .text("message \(text) \(position)")
                    })
            ]
        }
    }

    func play(steps: Int) {
        for _ in 0..<steps { step() }
        server.rest()
        for client in clients {
            for index in topics.indices { resume(index, client) }
        }
        server.rest()
        // In the end everybody hears everything.
        for (index, topic) in topics.enumerated() { server.server.publish("\(index)", to: Topic(topic)) }
        server.rest()
        for client in clients { read(client) }
        for (index, topic) in topics.enumerated() {
            let last = server.server.position(of: Topic(topic))
            for client in clients where client.positions[index] != last {
                let position = client.positions[index]?.description ?? "none"
                faults.append("\(topic): a client stands at \(position), not \(last!)")
            }
        }
    }

    private func step() {
        let client = clients.randomElement(using: &random)!
        let index = Int.random(in: 0..<topics.count, using: &random)
        switch Int.random(in: 0..<12, using: &random) {
        case 0...3: say("publish \(index)", client)
        case 4: server.server.publish("\(index)", to: Topic(topics[index]))
        case 5, 6: resume(index, client)
        case 7: leave(client)
        case 8: unsubscribe(index, client)
        case 9 where Int.random(in: 0..<10, using: &random) == 0:
            server.server.clearHistory(of: Topic(topics[index]))
        default: server.loops.randomElement(using: &random)!.turn(Int.random(in: 1...2, using: &random))
        }
    }

    private func say(_ text: String, _ client: Client) {
        connect(client).peer.send(SocketClient.encode(.text, Array(text.utf8)))
    }

    private func connect(_ client: Client) -> SimulatedSocket {
        if let socket = client.socket { return socket }
        let socket = server.open(on: Int.random(in: 0..<loopCount, using: &random))
        client.socket = socket
        return socket
    }

    private func resume(_ index: Int, _ client: Client) {
        read(client)
        say("resume \(index) \(client.positions[index].map { String($0) } ?? "")", client)
    }

    /// Who asks to go on behind a position has to know that nothing comes any more.
    private func unsubscribe(_ index: Int, _ client: Client) {
        guard client.socket != nil else { return }
        say("leave \(index)", client)
        server.rest()
        read(client)
    }

    /// Leaves without a word, in the middle of whatever is under way, or before it has looked at what came.
    private func leave(_ client: Client) {
        if Bool.random(using: &random) { read(client) }
        client.socket?.peer.reset()
        client.socket = nil
    }

    /// Checks what has come. A client that has no position of a topic takes the first that it hears.
    private func read(_ client: Client) {
        guard let socket = client.socket else { return }
        for text in socket.frames().filter({ $0.opcode == .text }).map(\.text) {
            let words = text.split(separator: " ")
            let index = Int(words[1])!
            switch words[0] {
            case "message": heard(Position(String(words[2]))!, of: index, client)
            case "result":
                if words[2].hasPrefix("resumed") {
                    resumedCount += 1
                    replayedCount += Int(words[2].drop { !$0.isNumber }.dropLast())!
                }
                if words[2] == "gap" {
                    gapCount += 1
                    client.positions[index] = nil
                }
            default: faults.append("a client got \(text)")
            }
        }
    }

    private func heard(_ position: Position, of index: Int, _ client: Client) {
        if let last = client.positions[index], last.epoch != position.epoch || last.offset + 1 != position.offset {
            faults.append("\(topics[index]): \(position) came behind \(last)")
        }
        client.positions[index] = position
    }
}
