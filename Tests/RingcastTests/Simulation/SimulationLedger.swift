import PubSub

@testable import Ringcast

/// What the server's handlers have done, and what every subscriber therefore has to get.
///
/// A publish is owed to whoever was subscribed before the world last came to rest, and still is: about others, whose
/// subscription is on its way to other loops, nothing is promised. What is owed and does not come has to have been
/// reported to the `dropped` handler.
///
/// `@unchecked Sendable`, because one thread turns all loops of a world.
final class SimulationLedger: @unchecked Sendable {
    /// What the server knows of a socket.
    final class Member {
        var closes = 0
        /// It closes, or its client has gone: it is owed nothing more.
        var hasEnded = false
        var subscriptions: Set<String> = []
        /// Subscriptions that every loop knows of.
        var settled: Set<String> = []
        var owed: Set<Publication> = []
        var dropped: Set<Publication> = []
        /// What other sockets' handlers have sent it, and has not come.
        var letters: Set<Letter> = []
        /// Letters that stand in front of the close that their sender has asked for, by sender.
        var lettersBeforeClose: [Int: Set<Letter>] = [:]
        /// Echoes that have not come, and whether one was dropped.
        var echoes: [String] = []
        var hasLostEchoes = false
        /// The number of the last saying that the server has heard.
        var heard = 0
        /// What others reach it by; nil: nobody has asked for it.
        var reference: WebSocketRef<Int>?
        /// Its subscriptions to topics with history.
        var courses: [String: SimulatedCourses] = [:]
    }

    private(set) var members: [Int: Member] = [:]
    private(set) var publishes = 0
    private var sequences: [Publication.Stream: Int] = [:]
    /// How many letters have gone from one to another (its id is the first).
    var letterCounts: [SIMD2<Int>: Int] = [:]
    /// Letters that a full lane has refused, which the server counts with the publishes that it refuses.
    var refusedLetters = 0
    /// Nobody holds any more what comes.
    var readsAll = false
    /// How often each client has said something.
    private var sayings: [Int: Int] = [:]
    /// What was found missing first, of messages that full lanes may have refused.
    var firstDebt: String?
    /// What is wrong, the first of it.
    private(set) var complaint: String?

    /// What happens, told as it does to whoever looks for the cause of a complaint.
    var tell: ((String) -> Void)?

    /// Topics with history, in worlds that have some.
    private(set) var histories: SimulationHistories?

    init(_ plan: SimulationPlan, tell: ((String) -> Void)? = nil) {
        self.tell = tell
        if !plan.histories.isEmpty { histories = SimulationHistories(plan.histories, self) }
    }

    func complain(_ what: String) { complaint = complaint ?? what }

    /// The number of the next thing that a client says.
    func nextSaying(_ id: Int) -> Int { sayings[id, default: 0] + 1 }

    /// Notes that a client says something, and returns its number.
    func saying(_ id: Int) -> Int {
        sayings[id, default: 0] += 1
        return sayings[id]!
    }

    /// Most sockets have a reference from the beginning.
    func opened(_ id: Int, _ ws: borrowing WebSocket<Int>) {
        let member = Member()
        tell?("opened \(id) on loop \(ws.session.loop.eventLoop.index)")
        if id % 3 != 0 { member.reference = ws.reference }
        if members.updateValue(member, forKey: id) != nil { complain("socket \(id) was opened twice") }
    }

    func closed(_ id: Int) {
        guard let member = members[id] else { return complain("socket \(id) was closed, and never opened") }
        tell?("closed \(id)")
        member.closes += 1
        if member.closes != 1 { complain("the close handler of \(id) ran \(member.closes) times") }
        for topic in member.courses.keys { leftHistory(id, topic) }
        // A close that another socket asked for is behind its letters, wherever they are now.
        ending(id)
    }

    /// Its client has gone: nothing at all is owed to a socket any more.
    func failed(_ id: Int) {
        ending(id)
        members[id]?.lettersBeforeClose = [:]
    }

    /// A socket has begun to close: nothing is owed to it but what stands in front of the close.
    func ending(_ id: Int) {
        guard let member = members[id] else { return }
        tell?("\(id) is owed nothing more")
        member.hasEnded = true
        member.settled = []
        member.owed = []
        member.letters = []
        member.hasLostEchoes = true
    }

    func subscribed(_ id: Int, to topic: String) { members[id]?.subscriptions.insert(topic) }

    func unsubscribed(_ id: Int, from topic: String) {
        guard let member = members[id] else { return }
        member.subscriptions.remove(topic)
        leftHistory(id, topic)
        member.settled.remove(topic)
        member.owed = member.owed.filter { $0.topic != topic }
    }

    /// The next message of a publisher, owed to all settled subscribers but itself.
    func publish(_ id: Int, to topic: String) -> Publication {
        publishes += 1
        let stream = Publication.Stream(topic: topic, publisher: id)
        let sequence = sequences[stream, default: 0] + 1
        sequences[stream] = sequence
        let publication = Publication(stream, sequence: sequence)
        if publication.isKept {
            histories?.offer(publication)
            return publication
        }
        for (member, state) in members where member != id && state.settled.contains(topic) {
            state.owed.insert(publication)
        }
        return publication
    }

    func dropped(_ id: Int, _ text: String) {
        guard let member = members[id] else { return }
        tell?("dropped for \(id): \(text.prefix(30))")
        if let publication = Publication(text) {
            if publication.isKept {
                member.courses[publication.topic, default: SimulatedCourses()].noteDrop(of: publication)
            } else {
                member.dropped.insert(publication)
            }
        } else if let letter = Letter(text) {
            forget(letter, of: member)
        } else if text.utf8.first != UInt8(ascii: "g") {
            member.hasLostEchoes = true
        }
    }

    func echoed(_ id: Int, _ text: String) { members[id]?.echoes.append(text) }

    /// A client has got a text.
    func received(_ id: Int, _ text: String) {
        guard let member = members[id] else { return }
        tell?("\(id) got \(text.prefix(30))")
        if histories != nil, heardOfHistory(id, text, member) { return }
        if let publication = Publication(text) {
            if publication.publisher == id { complain("socket \(id) got its own \(publication)") }
            if member.dropped.contains(publication) { complain("\(id) got \(publication), which was dropped") }
            member.owed.remove(publication)
        } else if let letter = Letter(text) {
            if letter.receiver != id { complain("socket \(id) got a letter for another one: \(letter)") }
            forget(letter, of: member)
        } else if !member.hasLostEchoes {
            if member.echoes.first == text {
                member.echoes.removeFirst()
            } else {
                complain("socket \(id) got an echo that is not the next: \(text.prefix(40))")
            }
        }
    }

    func forget(_ letter: Letter, of member: Member) {
        member.letters.remove(letter)
        member.lettersBeforeClose[letter.sender]?.remove(letter)
    }

    /// Every loop has heard of all subscriptions.
    func settle() {
        for member in members.values where !member.hasEnded { member.settled = member.subscriptions }
    }

    /// All that was queued has been taken: nothing may be owed any more that was not dropped. Returns how many
    /// published messages are missing, which only a full lane explains.
    func checkDebts(of id: Int) -> Int {
        guard let member = members[id], !member.hasEnded else { return 0 }
        if member.heard != sayings[id, default: 0] {
            complain("the server has heard \(member.heard) of \(sayings[id, default: 0]) messages of \(id)")
        }
        if !member.hasLostEchoes, let missing = member.echoes.first {
            complain("socket \(id) never got its echo \(missing.prefix(40))")
        }
        if let missing = member.letters.min(by: { $0.number < $1.number }) {
            complain("socket \(id) never got its letter \(missing)")
        }
        let missing = member.owed.subtracting(member.dropped)
        if let first = missing.min(by: { $0.sequence < $1.sequence }) { firstDebt = "\(first) to \(id)" }
        return missing.count + historyDebts(of: id, member)
    }
}
