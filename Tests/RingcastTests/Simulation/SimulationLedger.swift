import PubSub

@testable import Ringcast

/// One message that a simulated client has had published.
struct Publication: Hashable, CustomStringConvertible {
    let topic: String
    let publisher: Int
    let sequence: Int

    var description: String { "\(topic) \(publisher) \(sequence)" }

    init(topic: String, publisher: Int, sequence: Int) {
        (self.topic, self.publisher, self.sequence) = (topic, publisher, sequence)
    }

    /// From the text of a message: `m TOPIC PUBLISHER SEQUENCE PADDING`.
    init?(_ text: some StringProtocol) {
        let words = text.split(separator: " ", maxSplits: 4)
        guard words.count >= 4, words[0] == "m", let publisher = Int(words[2]), let sequence = Int(words[3]) else {
            return nil
        }
        self.init(topic: String(words[1]), publisher: publisher, sequence: sequence)
    }
}

/// What the server's handlers have done, and what every subscriber therefore has to get.
///
/// A publish is owed to whoever was subscribed before the world last came to rest, and still is: about others, whose
/// subscription is on its way to other loops, nothing is promised. What is owed and does not come has to have been
/// reported to the `dropped` handler.
///
/// `@unchecked Sendable`, because one thread turns all loops of a world.
final class SimulationLedger: @unchecked Sendable {
    struct Member {
        var closes = 0
        var subscriptions: Set<String> = []
        /// Subscriptions that every loop knows of.
        var settled: Set<String> = []
        var owed: Set<Publication> = []
        var dropped: Set<Publication> = []
        /// Echoes that have not come, and whether one was dropped.
        var echoes: [String] = []
        var hasLostEchoes = false
        /// The number of the last saying that the server has heard.
        var heard = 0
    }

    private(set) var members: [Int: Member] = [:]
    private(set) var publishes = 0
    private var sequences: [String: Int] = [:]
    /// How often each client has said something.
    private var sayings: [Int: Int] = [:]
    /// What was found missing first, of messages that full lanes may have refused.
    private(set) var firstDebt: String?
    /// What is wrong, the first of it.
    private(set) var complaint: String?

    func complain(_ what: String) { complaint = complaint ?? what }

    /// The number of the next thing that a client says.
    func nextSaying(_ id: Int) -> Int { sayings[id, default: 0] + 1 }

    /// Notes that a client says something, and returns its number.
    func saying(_ id: Int) -> Int {
        sayings[id, default: 0] += 1
        return sayings[id]!
    }

    func opened(_ id: Int) {
        if members.updateValue(Member(), forKey: id) != nil { complain("socket \(id) was opened twice") }
    }

    func closed(_ id: Int) {
        members[id]?.closes += 1
        if members[id]?.closes != 1 { complain("the close handler of \(id) ran \(members[id]?.closes ?? 0) times") }
        failed(id)
    }

    /// Nothing more is owed to a socket.
    func failed(_ id: Int) {
        members[id]?.settled = []
        members[id]?.owed = []
        members[id]?.hasLostEchoes = true
    }

    func subscribed(_ id: Int, to topic: String) { members[id]?.subscriptions.insert(topic) }

    func unsubscribed(_ id: Int, from topic: String) {
        members[id]?.subscriptions.remove(topic)
        members[id]?.settled.remove(topic)
        let left = members[id]?.owed.filter { $0.topic != topic }
        members[id]?.owed = left ?? []
    }

    /// The next message of a publisher, owed to all settled subscribers but itself.
    func publish(_ id: Int, to topic: String) -> Publication {
        publishes += 1
        let sequence = sequences["\(id) \(topic)", default: 0] + 1
        sequences["\(id) \(topic)"] = sequence
        let publication = Publication(topic: topic, publisher: id, sequence: sequence)
        for (member, state) in members where member != id && state.settled.contains(topic) {
            members[member]?.owed.insert(publication)
        }
        return publication
    }

    func dropped(_ id: Int, _ text: String) {
        if let publication = Publication(text) {
            members[id]?.dropped.insert(publication)
        } else {
            members[id]?.hasLostEchoes = true
        }
    }

    func echoed(_ id: Int, _ text: String) { members[id]?.echoes.append(text) }

    /// A client has got a text.
    func received(_ id: Int, _ text: String) {
        guard let publication = Publication(text) else {
            guard let member = members[id], !member.hasLostEchoes else { return }
            if member.echoes.first == text {
                members[id]?.echoes.removeFirst()
            } else {
                complain("socket \(id) got an echo that is not the next: \(text.prefix(40))")
            }
            return
        }
        if publication.publisher == id { complain("socket \(id) got its own \(publication)") }
        if members[id]?.dropped.contains(publication) == true {
            complain("\(id) got \(publication), which was dropped")
        }
        members[id]?.owed.remove(publication)
    }

    /// Every loop has heard of all subscriptions.
    func settle() {
        for (id, member) in members where member.closes == 0 && !member.subscriptions.isEmpty {
            members[id]?.settled = member.subscriptions
        }
    }

    /// All that was queued has been taken: nothing may be owed any more that was not dropped. Returns how many
    /// published messages are missing, which only a full lane explains.
    func checkDebts(of id: Int) -> Int {
        guard let member = members[id], member.closes == 0 else { return 0 }
        if member.heard != sayings[id, default: 0] {
            complain("the server has heard \(member.heard) of \(sayings[id, default: 0]) messages of \(id)")
        }
        if !member.hasLostEchoes, let missing = member.echoes.first {
            complain("socket \(id) never got its echo \(missing.prefix(40))")
        }
        let missing = member.owed.subtracting(member.dropped)
        if let first = missing.min(by: { $0.sequence < $1.sequence }) { firstDebt = "\(first) to \(id)" }
        return missing.count
    }
}

extension SimulationLedger {
    /// Sockets that do what the words of a message say, behind its number: `e`cho, `s`ubscribe, `u`nsubscribe,
    /// `p`ublish, `c`lose, `t`erminate.
    func handlers(_ options: WebSocketOptions) -> WebSocketHandlers<Int> {
        WebSocketHandlers(
            options: options,
            open: { self.opened($0.data) },
            message: { ws, message in self.act(message.string, on: ws) },
            close: { ws, _, _ in self.closed(ws.data) },
            dropped: { ws, message in self.dropped(ws.data, message.string) })
    }

    private func act(_ text: String, on ws: borrowing WebSocket<Int>) {
        let words = text.split(separator: " ", maxSplits: 3).map(String.init)
        let id = ws.data
        guard words.count > 1, let number = Int(words[0]), number == members[id].map({ $0.heard + 1 }) else {
            return complain("what the server heard of \(id) is not the next: \(text.prefix(40))")
        }
        members[id]?.heard = number
        switch words[1] {
        case "e":
            echoed(id, text)
            ws.send(text)
        case "s": if ws.subscribe(to: Topic(words[2])) { subscribed(id, to: words[2]) }
        case "u":
            unsubscribed(id, from: words[2])
            ws.unsubscribe(from: Topic(words[2]))
        case "p": ws.publish("m \(publish(id, to: words[2])) \(words[3])", to: Topic(words[2]))
        case "c":
            failed(id)
            ws.close(.normalClosure)
        default:
            failed(id)
            ws.terminate()
        }
    }
}
