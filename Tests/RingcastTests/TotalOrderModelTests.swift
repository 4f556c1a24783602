import PubSub
import ReactorTesting
import Testing
import WebSocketProtocol

@testable import Ringcast

/// Random use of topics of total order over simulated loops, which take their turns at random: subscribers that come
/// and go, publishers that get their own or not, retained messages, and an order that is changed while messages are
/// under way. As all of it is one thread, what happened before what is known.
@Suite(.endingAll) struct TotalOrderModelTests {
    @Test(arguments: 0..<10) func `topics of total order do what the model says`(seed: Int) {
        let scene = OrderScene(seed: UInt64(seed))
        scene.play(steps: 800)
        for fault in scene.faults().prefix(3) { Issue.record("seed \(seed): \(fault)") }
        #expect(scene.deliveryCount > 500 && scene.changeCount > 10)
    }
}

/// Members of three topics, of which the last one's order is changed again and again. The first member is subscribed to
/// all from the beginning to the end and says nothing: the order is what it hears.
private final class OrderScene {
    enum Event: Equatable, Sendable {
        case subscribed(member: Int, topic: Int)
        case unsubscribed(member: Int, topic: Int)
        case left(member: Int)
        case published(Int, by: Int, topic: Int, isOrdered: Bool, isRetained: Bool)
        /// Everything under way has arrived.
        case quiet
    }

    private static let names = (0..<3).map { TotalOrderLoopTests.topic(at: $0, of: 3) }
    private static let changing = 2
    /// These members get what they publish.
    private static func hearsItself(_ member: Int) -> Bool { member % 2 == 1 }

    private let journal = Journal<Event>()
    private let server: SimulatedServer
    private var random: SeededGenerator
    private var sockets: [(member: Int, socket: SimulatedSocket)] = []
    private var nextMember = 0
    private var nextNumber = 0
    /// By member.
    private var transcripts: [[String]] = []
    private(set) var changeCount = 0
    private(set) var deliveryCount = 0

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        let journal = journal
        let kinds = [false, true].map { Self.handlers(publishToSelf: $0, journal) }
        server = SimulatedServer(
            loops: 3,
            {
                $0.topics = Self.names.map { .matching($0, order: .total) }
            }
        ) { request in
            let member = Int(request.query("member") ?? "") ?? 0
            return .upgrade(to: kinds[Self.hearsItself(member) ? 1 : 0], with: member)
        }
    }

    private static func handlers(publishToSelf: Bool, _ journal: Journal<Event>) -> WebSocketHandlers<Int> {
        WebSocketHandlers(
            options: .init(idleTimeout: .zero, publishToSelf: publishToSelf),
            message: { ws, message in
                let words = message.string.split(separator: " ")
                let index = Int(words[1]) ?? 0
                let topic = Topic(names[index])
                switch words[0] {
                case "subscribe":
                    // In front of whatever the subscription brings.
                    ws.send("subscribed \(index)")
                    journal.note(.subscribed(member: ws.data, topic: index))
                    ws.subscribe(to: topic)
                case "unsubscribe":
                    ws.unsubscribe(from: topic)
                    journal.note(.unsubscribed(member: ws.data, topic: index))
                default:
                    let order = TopicOrder(word: ws.session.loop.core.registry.policy(of: topic))
                    let (number, isRetained) = (Int(words[2]) ?? 0, words[0] == "retain")
                    journal.note(
                        .published(
                            number, by: ws.data, topic: index, isOrdered: order == .total, isRetained: isRetained))
                    ws.publish("\(number) \(index)", to: topic, retain: isRetained)
                }
            })
    }

    // MARK: what happens

    func play(steps: Int) {
        join()
        for topic in Self.names.indices { sockets[0].socket.send("subscribe \(topic)") }
        for _ in 0..<9 { join() }
        for _ in 0..<steps {
            switch Int.random(in: 0..<100, using: &random) {
            case ..<40: tell(Int.random(in: 0..<4, using: &random) == 0 ? "retain" : "publish")
            case ..<52: tell(random.oneIn(2) ? "subscribe" : "unsubscribe")
            case ..<94: server.loops.randomElement(using: &random)!.turn(Int.random(in: 1...2, using: &random))
            case ..<97: changeOrder()
            case 97: leave()
            default: rest()
            }
        }
        rest()
        for (member, socket) in sockets { transcripts[member] += socket.frames().map(\.text) }
    }

    private func rest() {
        server.rest()
        journal.note(.quiet)
    }

    private func join() {
        sockets.append(
            (nextMember, server.open(on: nextMember % 3, path: "/?member=\(nextMember)")))
        transcripts.append([])
        nextMember += 1
        rest()
    }

    /// Lets a member do something, once its loop comes to it.
    private func tell(_ word: String) {
        let index = Int.random(in: 1..<sockets.count, using: &random)
        var topic = Self.names.indices.randomElement(using: &random)!
        // What is retained has the order of the topic, which has to be one.
        if word == "retain", topic == Self.changing { topic = 0 }
        nextNumber += 1
        sockets[index].socket.peer.send(SocketClient.encode(.text, Array("\(word) \(topic) \(nextNumber)".utf8)))
    }

    private func changeOrder() {
        changeCount += 1
        let order = random.oneIn(2) ? TopicOrder.total : .perPublisher
        server.core.registry.setPolicy(order.word, in: TopicOrder.mask, for: Topic(Self.names[Self.changing]))
    }

    private func leave() {
        let (member, socket) = sockets.remove(at: Int.random(in: 1..<sockets.count, using: &random))
        transcripts[member] += socket.frames().map(\.text)
        journal.note(.left(member: member))
        socket.peer.reset()
        join()
    }

    // MARK: the verdict

    /// One stay of a member in a topic.
    private struct Stay {
        let member: Int
        let topic: Int
        let start: Int
        var end: Int
        /// Numbers of messages.
        var heard: [Int]
    }

    func faults() -> [String] {
        let events = journal.entries
        var published: [Int: (time: Int, event: Event)] = [:]
        for (time, event) in events.enumerated() {
            if case .published(let number, _, _, _, _) = event { published[number] = (time, event) }
        }
        let stays = allStays(events)
        var places: [Int: Int] = [:]
        for stay in stays where stay.member == 0 {
            for (place, number) in stay.heard.enumerated() { places[number] = place }
        }
        // By time: when all was quiet next.
        var quiet = Array(repeating: Int.max, count: events.count + 1)
        for time in events.indices.reversed() { quiet[time] = events[time] == .quiet ? time : quiet[time + 1] }
        return stays.flatMap { stay in
            deliveryCount += stay.heard.count
            return fault(in: stay, published, places, quiet).map { ["\(stay): \($0)"] } ?? []
        }
    }

    private func allStays(_ events: [Event]) -> [Stay] {
        var heard = transcripts.map(Self.numbers)
        var stays: [Stay] = []
        for (time, event) in events.enumerated() {
            switch event {
            case .subscribed(let member, let topic):
                // Again, while it is: one stay goes on.
                let next = heard[member][topic].isEmpty ? [] : heard[member][topic].removeFirst()
                if let open = stays.firstIndex(where: { $0.end == .max && $0.member == member && $0.topic == topic }) {
                    stays[open].heard += next
                } else {
                    stays.append(Stay(member: member, topic: topic, start: time, end: .max, heard: next))
                }
            case .unsubscribed(let member, let topic):
                for index in stays.indices
                where stays[index].end == .max && stays[index].member == member && stays[index].topic == topic {
                    stays[index].end = time
                }
            case .left(let member):
                for index in stays.indices where stays[index].end == .max && stays[index].member == member {
                    stays[index].end = time
                }
            default: break
            }
        }
        return stays
    }

    /// By topic: what came behind each word that the member is subscribed.
    private static func numbers(in transcript: [String]) -> [[[Int]]] {
        var numbers = names.map { _ in [[Int]]() }
        for line in transcript {
            let words = line.split(separator: " ")
            let topic = Int(words[1])!
            if words[0] == "subscribed" {
                numbers[topic].append([])
            } else {
                numbers[topic][numbers[topic].count - 1].append(Int(words[0])!)
            }
        }
        return numbers
    }

    private func fault(
        in stay: Stay, _ published: [Int: (time: Int, event: Event)], _ places: [Int: Int], _ quiet: [Int]
    ) -> String? {
        if Set(stay.heard).count < stay.heard.count { return "something came twice" }
        var last = -1
        for (index, number) in stay.heard.enumerated() {
            guard case (let time, .published(_, let publisher, _, let isOrdered, let isRetained))? = published[number]
            else { return "\(number) was never published" }
            let isAtFirst = index == 0 && isRetained
            if time > stay.end { return "\(number) was published behind the end" }
            if publisher == stay.member, !Self.hearsItself(stay.member), !isAtFirst { return "\(number) is its own" }
            if !isAtFirst, time < stay.start, quiet[time] < stay.start {
                return "\(number) was over before it began"
            }
            guard isOrdered else { continue }
            guard let place = places[number], place > last else { return "\(number) is out of order" }
            last = place
        }
        let heard = Set(stay.heard)
        for (number, (time, event)) in published where stay.start < time && time < stay.end && !heard.contains(number) {
            guard case .published(_, let publisher, stay.topic, _, _) = event,
                publisher != stay.member || Self.hearsItself(stay.member),
                quiet[time] < stay.end
            else { continue }
            return "\(number) did not come"
        }
        return faultOfRetained(in: stay, published, places, quiet)
    }

    /// Who subscribes hears the last retained message first, or one that was on its way to become it.
    private func faultOfRetained(
        in stay: Stay, _ published: [Int: (time: Int, event: Event)], _ places: [Int: Int], _ quiet: [Int]
    ) -> String? {
        let settled = published.filter { _, message in
            guard case .published(_, _, stay.topic, _, true) = message.event else { return false }
            return quiet[message.time] < stay.start
        }
        guard let last = settled.keys.compactMap({ places[$0] }).max() else { return nil }
        guard let first = stay.heard.first, case .published(_, _, _, _, true)? = published[first]?.event,
            let place = places[first], place >= last
        else { return stay.end == .max || !stay.heard.isEmpty ? "what is retained did not come first" : nil }
        return nil
    }
}
