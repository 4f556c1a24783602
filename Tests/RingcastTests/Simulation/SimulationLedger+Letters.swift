@testable import Ringcast

/// What sockets' handlers say to other sockets, which they reach by references, from loop to loop.
extension SimulationLedger {
    /// A socket's handler sends to another socket: what is taken is owed, in order.
    func write(to receiver: Int, by ws: borrowing WebSocket<Int>, _ padding: Substring) {
        let id = ws.data
        guard let member = members[receiver], let reference = member.reference else { return }
        let route = SIMD2(id, receiver)
        let letter = Letter(to: receiver, from: id, number: letterCounts[route, default: 0] + 1)
        // It may be dropped, and reported, before the call returns.
        member.letters.insert(letter)
        if case .dropped = reference.send("\(letter) \(padding)") {
            forget(letter, of: member)
            let isElsewhere = reference.lifeline.loop != ws.session.loop.eventLoop.index
            if isElsewhere, !reference.isClosed { refusedLetters += 1 }
            return
        }
        letterCounts[route] = letter.number
        if member.hasEnded { forget(letter, of: member) }
    }

    /// A socket's handler closes another socket, behind what it has sent to it.
    func close(_ receiver: Int, by id: Int) {
        guard let member = members[receiver], let reference = member.reference else { return }
        if !member.hasEnded {
            member.lettersBeforeClose[id] = member.letters.filter { $0.sender == id }
            ending(receiver)
        }
        reference.close(.normalClosure, reason: "k \(id)")
    }

    /// A client has heard a Close.
    func heardClose(_ id: Int, reason: String) {
        var words = SimulationWords(reason)
        if words.next() == "k", let sender = words.nextNumber(),
            let missing = members[id]?.lettersBeforeClose[sender]?.min(by: { $0.number < $1.number })
        {
            complain("the close of \(id) that \(sender) asked for came before its \(missing)")
        }
        failed(id)
    }

    /// Lets go of the server, which keeps the handlers, which keep this.
    func forgetReferences() {
        for member in members.values { member.reference = nil }
    }
}
