import PubSub
import ReactorTesting
import SimulatedKernel

@testable import Ringcast

/// Worlds with history: readers that lose their connections at any byte and resume by others, at other loops.
extension SimulatedWorld {
    /// What a server is configured with for topics with history.
    static func configure(
        _ configuration: inout ServerConfiguration, _ plan: SimulationPlan, _ ledger: SimulationLedger
    ) {
        guard let histories = ledger.histories else { return }
        configuration.topics += plan.histories.map { history in
            .matching(
                history.topic, slowConsumerPolicy: history.policy,
                history: .init(
                    messages: history.messages, bytes: 1 << 30, age: history.age.map { .milliseconds($0) }),
                stamping: history.isStamped
                    ? .custom { histories.stamped($0, at: $1, of: history.topic) } : nil)
        }
        guard plan.tellsOfPresence else { return }
        configuration.presence = { server, topic, change in
            ledger.presenceChanged(topic.name, change)
            // It says so to the topic itself, as nobody's message.
            let publication = ledger.publish(-1, to: topic.name)
            if case .dropped = server.publish("m \(publication) x", to: topic) { histories.refused(publication) }
        }
    }

    /// Clients at a time and all together, beyond which readers stay away until the end.
    private static let mostConnections = 32

    /// Somebody comes back, or another one comes.
    func connectReader() {
        let away = awayReaders()
        if let reader = away.randomElement(using: &random), clientCount < Self.mostConnections {
            connect(reader)
            subscribe(present.first { $0.id == reader.connection }!, reader)
        } else if present.count < plan.mostClients {
            connect(nil)
        }
    }

    private func awayReaders() -> [SimulatedReader] {
        present.filter { !$0.isWell }.compactMap { ledger.histories?.readers[$0.id] }
    }

    /// A reader subscribes to what it has not subscribed to by this connection.
    private func subscribe(_ client: any SimulatedClient, _ reader: SimulatedReader) {
        for topic in ledger.histories!.topics where !reader.asked.contains(topic) {
            resume(topic, client, reader, after: reader.places[topic])
        }
    }

    /// Only one topic is subscribed to as somebody: which of several a socket leaves first when it ends is chance.
    private func resume(_ topic: String, _ client: any SimulatedClient, _ reader: SimulatedReader, after place: Place?)
    {
        guard client.canSpeak else { return }
        reader.asked.insert(topic)
        let name = topic == ledger.histories!.topics[0] ? reader.name : "-"
        client.say("R \(topic) \(name) \(place?.description ?? "-")", &random)
    }

    /// A client or a thread that is no loop does something with a topic with history.
    func actOnHistory() {
        guard let histories = ledger.histories, let client = present.randomElement(using: &random),
            let reader = histories.readers[client.id]
        else { return }
        let topic = histories.topics.randomElement(using: &random)!
        switch Int.random(in: 0..<16, using: &random) {
        case ..<5 where !reader.asked.contains(topic):
            resume(topic, client, reader, after: reader.places[topic])
        case ..<11:
            let words = "p \(topic) \(Self.padding(length()))"
            for _ in 0..<(words.utf8.count < 100 && random.oneIn(20) ? 30 : 1) { client.say(words, &random) }
        case 11:
            reader.asked.remove(topic)
            client.say("u \(topic)", &random)
        case 12: resume(topic, client, reader, after: anyPlace(in: histories[topic]))
        case 13 where random.oneIn(3):
            clock.noteAct()
            histories.clear(topic)
        case 14: breakClient()
        default: publishFromOutside(to: topic)
        }
    }

    /// Where nobody may ever have been.
    private func anyPlace(in history: SimulatedHistory) -> Place? {
        switch Int.random(in: 0..<5, using: &random) {
        case 0: nil
        case 1: .oldest
        default:
            Place(
                numbering: max(1, history.last.numbering - (random.oneIn(4) ? 1 : 0) + (random.oneIn(8) ? 1 : 0)),
                offset: max(0, history.last.offset + Int.random(in: -20...2, using: &random)))
        }
    }

    /// In the end everybody is there, and hears everything. Over TLS only our own clients connect, which cannot speak
    /// before they are open.
    func gatherReaders() {
        guard let histories = ledger.histories else { return }
        if !plan.isSecure {
            for reader in awayReaders() { addRawClient(on: server.loops.randomElement(using: &random)!, for: reader) }
        }
        for client in present { subscribe(client, histories.readers[client.id]!) }
    }

    /// Runs a world, and looks for what it leaves behind.
    static func play(_ plan: SimulationPlan, tell: ((String) -> Void)? = nil) -> (complaint: String?, sum: WorldSum) {
        var complaint: String?
        var sum = WorldSum()
        var entries: [WeakEntry] = []
        do {
            let world = SimulatedWorld(plan, tell: tell)
            complaint = world.run()
            sum = world.sum
            entries = world.ledger.histories?.entries ?? []
            world.ledger.forgetReferences()
        }
        let left = entries.count { $0.entry != nil }
        if complaint == nil, left > 0 { complaint = "\(left) topics with history outlive their server" }
        return (complaint, sum)
    }
}
