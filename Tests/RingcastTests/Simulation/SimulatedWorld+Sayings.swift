import PubSub
import SimulatedKernel

@testable import Ringcast

/// What clients say, and what the server's handlers therefore do.
extension SimulatedWorld {
    /// A client says something.
    func act() {
        if ledger.histories != nil, random.oneIn(2) { return actOnHistory() }
        guard let client = present.randomElement(using: &random) else { return }
        if random.oneIn(400) { return flood(client) }
        if random.oneIn(40) { return writeInFrontOfAnEnd(client) }
        let topic = Self.topics.randomElement(using: &random)!
        let length = length()
        let words =
            switch Int.random(in: 0..<24, using: &random) {
            case ..<7: "p \(topic) \(Self.padding(length))"
            case ..<13: "s \(topic)"
            case 13: "u \(topic)"
            case ..<19: "e \(Self.padding(length))"
            case 19: random.oneIn(3) ? (random.oneIn(2) ? "c" : "t") : "s \(topic)"
            default: wordsAboutAnother(length)
            }
        // Now and then one does not stop: lanes fill. Of letters there are enough.
        for _ in 0..<(length < 100 && "pesu".contains(words.first!) && random.oneIn(30) ? 30 : 1) {
            client.say(words, &random)
        }
    }

    /// Mostly short; some take several receive buffers, and others can leave from the one that they came in.
    func length() -> Int {
        switch Int.random(in: 0..<40, using: &random) {
        case ..<5: 3_000
        case 5, 6: Int.random(in: 4_096...9_000, using: &random)
        case 7: 70_000
        default: Int.random(in: 1...60, using: &random)
        }
    }

    /// What a handler does to another socket, by its reference, also when that is closed. Some letters at a time, so
    /// that they overflow a lane.
    private func wordsAboutAnother(_ length: Int) -> String {
        let other = present.randomElement(using: &random)!.id
        let count = random.oneIn(2) ? 1 : Int.random(in: 2...12, using: &random)
        switch Int.random(in: 0..<16, using: &random) {
        case 0: return "x \(other)"
        case 1: return "h"
        case 2, 3: return "w \(other)"
        case 4, 5: return "k \(other) \(count) \(Self.padding(min(length, 100)))"
        default: return "r \(other) \(count) \(Self.padding(min(length, 3_000)))"
        }
    }

    /// Letters that overflow their lane, and behind them the end of their receiver: closed by its writer, or gone and
    /// followed by another connection on its loop, before the rest of the letters comes.
    private func writeInFrontOfAnEnd(_ writer: any SimulatedClient) {
        let receiver = present.randomElement(using: &random)!
        writer.say("r \(receiver.id) \(Int.random(in: 3...12, using: &random)) x", &random)
        for _ in 0..<Int.random(in: 1...3, using: &random) { turnAll() }
        guard random.oneIn(2), receiver !== writer else { return writer.say("k \(receiver.id) 0", &random) }
        receiver.breakOff(&random)
        turnAll()
        guard !plan.isSecure, present.count < plan.mostClients,
            let loop = ledger.members[receiver.id]?.reference?.lifeline.loop
        else { return }
        addRawClient(on: server.loops[loop])
        for _ in 0..<Int.random(in: 1...3, using: &random) { turnAll() }
    }

    /// Says more than a socket that holds it may keep, at a time when a kernel does not find what it is to cancel.
    private func flood(_ client: any SimulatedClient) {
        client.say("h", &random)
        for _ in 0..<Int.random(in: 2...8, using: &random) {
            client.say("e \(Self.padding(70_000))", &random)
            if random.oneIn(2) { turnAll() }
            if random.oneIn(3) { missCancel() }
        }
        settle()
    }

    /// A thread that is no loop publishes; it is no socket, and no subscriber's publisher.
    func publishFromOutside() {
        publishFromOutside(to: Self.topics.randomElement(using: &random)!)
    }

    func publishFromOutside(to topic: String) {
        let publication = ledger.publish(0, to: topic)
        clock.noteAct()
        let result = server.server.publish(
            "m \(publication) \(Self.padding(random.oneIn(8) ? 9_000 : 1))", to: Topic(topic))
        if publication.isKept, case .dropped = result { ledger.histories?.refused(publication) }
    }

    static func padding(_ length: Int) -> Substring { Substring(paddings.utf8.prefix(length)) }

    /// Made once: repeating a character costs more than all else in a world.
    private static let paddings = String(decoding: [UInt8](repeating: 120, count: 70_000), as: UTF8.self)
}
