import PubSub
import SimulatedKernel
import WebSocketProtocol

@testable import Ringcast
@testable import RingcastCluster

/// What the nodes' handlers have done, what the engine has handled, and what every subscriber therefore has to get.
///
/// A publish is owed to the subscribers of its own node before the loops come to rest, whatever the engine does; to
/// those of another node from when the engine has sent it there, unless the connection is lost and a gap is told.
///
/// `@unchecked Sendable`, because one thread turns all loops of a world.
final class ClusterLedger: @unchecked Sendable {
    /// Who publishes in an order: a loop of a node, or a thread that is none (-1).
    struct Stream: Hashable {
        let node: Int
        let loop: Int
        let topic: String
    }

    struct Publication {
        let stream: Stream
        /// The socket that has published it; 0: none.
        let publisher: Int
        var isProcessed = false

        var topic: String { stream.topic }
    }

    /// What is known of a socket.
    final class Member {
        let node: Int
        var hasEnded = false
        var closes = 0
        var subscriptions: Set<String> = []
        /// Subscriptions that every loop of its node knows of.
        var settled: Set<String> = []
        /// Publications that have to come before the loops rest.
        var owed: Set<Int> = []
        /// Publications that the engine has sent, and by which connection.
        var forwarded: [Int: EngineWire] = [:]
        /// The last publication of each stream, and all of topics of total order.
        var last: [Stream: Int] = [:]
        var ordered: [String: [Int]] = [:]

        init(node: Int) { self.node = node }
    }

    /// What a node's application was told, and how many of its publishes the engine has to have.
    struct NodeRecord {
        let place: Int
        var isConnected = false
        var disconnects = 0
        var gaps = 0
        var drops = 0
        /// Published for others, and not handled by the engine.
        var unprocessed: Set<Int> = []
        /// The publication of each of its streams that the engine has handled last.
        var lastProcessed: [Stream: Int] = [:]
    }

    private(set) var members: [Int: Member] = [:]
    private(set) var nodes: [NodeRecord] = []
    private(set) var publications: [Publication] = []
    private(set) var deliveries = 0
    private(set) var crossings = 0
    private(set) var complaint: String?
    let tell: ((String) -> Void)?
    private let plan: ClusterPlan
    /// A node's backplane, while the node is made.
    var made: (EngineBackplane, SimulatedGroup)?

    init(_ plan: ClusterPlan, tell: ((String) -> Void)?) { (self.plan, self.tell) = (plan, tell) }

    func complain(_ what: String) {
        tell?("COMPLAINT: \(what)")
        complaint = complaint ?? what
    }

    // MARK: Nodes

    func born(_ number: Int, at place: Int) {
        precondition(number == nodes.count)
        nodes.append(NodeRecord(place: place))
    }

    func gaps(of node: Int) -> Int { nodes[node].gaps }

    /// A node's application hears of its engine.
    func told(_ node: Int, _ event: ClusterEvent) {
        tell?("node \(node) is told: \(event)")
        switch event {
        case .connected:
            if nodes[node].isConnected { complain("node \(node) was told twice that it is connected") }
            nodes[node].isConnected = true
        case .disconnected:
            nodes[node].disconnects += 1
            nodes[node].isConnected = false
        case .gap:
            nodes[node].gaps += 1
            if nodes[node].gaps > nodes[node].disconnects { complain("node \(node) was told of a gap without a cause") }
        case .historyGap(let topic): complain("node \(node) was told of a gap in \(topic.name), which has no history")
        case .dropped(let count):
            nodes[node].drops += count
            if count <= 0 { complain("node \(node) was told of \(count) drops") }
        }
    }

    // MARK: Sockets

    func opened(_ id: Int, on node: Int) {
        if members.updateValue(Member(node: node), forKey: id) != nil { complain("socket \(id) was opened twice") }
    }

    func closed(_ id: Int) {
        members[id]?.closes += 1
        if members[id]?.closes != 1 { complain("the close handler of \(id) ran twice, or before it was opened") }
        ending(id)
    }

    /// Nothing more is owed to a socket.
    func ending(_ id: Int) {
        guard let member = members[id] else { return }
        member.hasEnded = true
        member.settled = []
        member.owed = []
        member.forwarded = [:]
    }

    func subscribed(_ id: Int, to topic: String) { members[id]?.subscriptions.insert(topic) }

    func unsubscribed(_ id: Int, from topic: String) {
        guard let member = members[id] else { return }
        member.subscriptions.remove(topic)
        member.settled.remove(topic)
        member.owed = member.owed.filter { publications[$0].topic != topic }
        member.forwarded = member.forwarded.filter { publications[$0.key].topic != topic }
    }

    // MARK: Messages

    /// The next message of a loop of a node, by its socket or by none, and its text.
    func publish(by publisher: Int, on node: Int, loop: Int, to topic: String, _ padding: Substring) -> String {
        let number = publications.count
        publications.append(
            Publication(stream: Stream(node: node, loop: loop, topic: topic), publisher: publisher))
        if !topic.hasPrefix("l") { nodes[node].unprocessed.insert(number) }
        for (id, member) in members where id != publisher && member.node == node && member.settled.contains(topic) {
            member.owed.insert(number)
        }
        tell?("\(number): \(publisher) publishes to \(topic) on loop \(loop) of node \(node)")
        return "m \(number) \(padding)"
    }

    /// The number of the message with this text, if it is one.
    static func number(in text: some StringProtocol) -> Int? {
        let words = text.split(separator: " ", maxSplits: 2)
        return words.count >= 2 && words[0] == "m" ? Int(words[1]) : nil
    }

    /// The engine handles a publish.
    /// - Returns: its number; nil for what nodes say to each other.
    func processed(_ envelope: [UInt8], _ channel: String) -> Int? {
        let text = String(decoding: envelope, as: UTF8.self)
        guard let number = Self.number(in: text.dropFirst(Envelope.headerByteCount)) else { return nil }
        let publication = publications[number]
        let (stream, node) = (publication.stream, publication.stream.node)
        tell?("\(number): the engine has it")
        if channel != plan.channel(of: Topic(publication.topic))
            || !text.dropFirst().hasPrefix(SimulatedNode.id(node, plan))
        {
            complain("\(number) came to the engine for \(channel), from \(text.prefix(Envelope.headerByteCount))")
        }
        if publication.topic.hasPrefix("l") { complain("\(number) is meant for its node, and crosses") }
        if publication.isProcessed { complain("\(number) came twice to the engine") }
        publications[number].isProcessed = true
        nodes[node].unprocessed.remove(number)
        if let last = nodes[node].lastProcessed.updateValue(number, forKey: stream), last > number {
            complain("\(number) came to the engine behind \(last)")
        }
        return number
    }

    /// The engine sends a publication to a node.
    func forwarded(_ number: Int, over wire: EngineWire) {
        let publication = publications[number]
        guard wire.node.number != publication.stream.node else { return }
        for member in members.values
        where member.node == wire.node.number && member.settled.contains(publication.topic) {
            if member.forwarded[number] == nil || wire.gapsAtLoss == nil { member.forwarded[number] = wire }
        }
    }

    /// A client has got a message.
    func heard(_ id: Int, _ text: String) {
        guard let member = members[id], let number = Self.number(in: text), publications.indices.contains(number) else {
            return complain("\(id) got \(text.prefix(30))")
        }
        let publication = publications[number]
        tell?("\(number): \(id) has it")
        deliveries += 1
        if publication.stream.node != member.node { crossings += 1 }
        member.owed.remove(number)
        member.forwarded[number] = nil
        if publication.publisher == id { complain("\(id) got its own \(number)") }
        if let last = member.last.updateValue(number, forKey: publication.stream), last >= number {
            complain("\(id) got \(number) behind \(last)")
        }
        if publication.topic.hasPrefix("o") { member.ordered[publication.topic, default: []].append(number) }
        if publication.topic.hasPrefix("l"), publication.stream.node != member.node {
            complain("\(id) got \(number), which is meant for another node alone")
        }
    }
}
