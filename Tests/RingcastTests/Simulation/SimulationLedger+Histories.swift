import PubSub

@testable import Ringcast

/// Topics with history: what the server's handlers do with them, and what clients hear of them.
extension SimulationLedger {
    /// A socket subscribes behind a place, `-` for none, as somebody, `-` for nobody: `TOPIC NAME PLACE`.
    func resume(_ words: inout SimulationWords, on ws: borrowing WebSocket<Int>) {
        guard let histories, let member = members[ws.data], let topic = words.next().map({ String($0) }),
            let name = words.next(), let place = words.next()
        else { return }
        let isNew = ws.session.isOpen && !member.subscriptions.contains(topic)
        if isNew {
            let number = (member.courses[topic]?.courses.count ?? 0) + 1
            if case .dropped = ws.send("g \(topic) \(number)") { return }
        }
        histories.look(at: topic)
        let behind = histories.place(place, of: topic)
        let position = histories.position(behind, of: topic)
        let resumption = subscribe(ws, to: Topic(topic), as: name == "-" ? nil : String(name), after: position)
        guard isNew else {
            if resumption != .unchanged { complain("\(ws.data) subscribed twice to \(topic): \(resumption)") }
            return
        }
        histories.look(at: topic)
        let course = histories.subscribed(to: topic, after: behind, resumption, now: ws.session.loop.now)
        member.courses[topic, default: SimulatedCourses()].begin(course)
        tell?("\(ws.data) subscribes to \(topic) behind \(place): \(resumption)")
        subscribed(ws.data, to: topic)
        if name != "-", ws.session.isOpen {
            histories.present[topic, default: [:]][String(name), default: []].insert(ws.data)
        }
    }

    /// By any of the ways to do so.
    private func subscribe(
        _ ws: borrowing WebSocket<Int>, to topic: Topic, as name: String?, after position: Position?
    ) -> Resumption {
        if let name { return ws.subscribe(to: topic, as: name, info: "of \(ws.data)", after: position) }
        guard position == nil, members[ws.data]!.heard % 2 == 0 else { return ws.subscribe(to: topic, after: position) }
        return ws.subscribe(to: topic) ? .new : .unchanged
    }

    /// A subscription has ended, by the socket's wish or with it.
    func leftHistory(_ id: Int, _ topic: String) {
        guard let histories else { return }
        members[id]?.courses[topic]?.isSubscribed = false
        for name in Array((histories.present[topic] ?? [:]).keys) { histories.present[topic]![name]!.remove(id) }
    }

    /// A client has got a text. Returns whether it is about a topic with history.
    func heardOfHistory(_ id: Int, _ text: String, _ member: Member) -> Bool {
        var words = SimulationWords(text)
        switch text.utf8.first {
        case UInt8(ascii: "g"):
            _ = words.next()
            guard let topic = words.next().map({ String($0) }), let number = words.nextNumber() else { return false }
            guard member.courses[topic]?.hearBeginning(of: number) ?? false, let course = member.courses[topic]?.current
            else {
                complain("\(id) hears that its subscription \(number) to \(topic) begins")
                return true
            }
            note(Place(numbering: course.numbering, offset: course.next - 1), of: topic, by: id)
            return true
        case UInt8(ascii: "m"):
            guard let message = Publication(&words), message.isKept else { return false }
            heard(id, message, words.next() ?? "", member)
            return true
        default: return false
        }
    }

    private func heard(_ id: Int, _ message: Publication, _ stamp: Substring, _ member: Member) {
        guard let histories else { return }
        let history = histories[message.topic]
        let place = history.places[message]
        if history.plan.isStamped, stamp.utf8.first != UInt8(ascii: "@") || Place(stamp.dropFirst()) != place {
            complain("\(id) got \(message) with the stamp \(stamp), not \(place?.description ?? "none")")
        }
        let result = member.courses[message.topic]?.hear(message, at: place, by: id, history)
        guard let result else { return complain("\(id) got \(message) without a subscription") }
        if let complaint = result.complaint { complain(complaint) }
        if result.missing > 0 { tell?("\(id) misses \(result.missing) messages before \(message)") }
        histories.missingCount += result.missing
        if let place { note(place, of: message.topic, by: id) }
    }

    /// A reader listens to its newest connection only.
    private func note(_ place: Place, of topic: String, by id: Int) {
        guard let reader = histories?.readers[id], reader.connection == id else { return }
        reader.places[topic] = place
    }

    /// How many messages are owed to a socket that were not reported as dropped, when nothing is under way.
    func historyDebts(of id: Int, _ member: Member) -> Int {
        guard let histories else { return 0 }
        var count = 0
        for topic in histories.topics {
            guard let courses = member.courses[topic], courses.isSubscribed else { continue }
            if courses.heard != courses.courses.count { complain("\(id) never heard that \(topic) begins") }
            let missing = courses.missing(by: id, histories[topic])
            count += missing.count
            if let first = missing.first { firstDebt = "\(first) to \(id)" }
        }
        return count
    }

    // MARK: presence

    /// The server is told that somebody has come or gone.
    func presenceChanged(_ topic: String, _ change: PresenceChange) {
        guard let histories else { return }
        tell?("\(change.id) \(change.kind) \(topic)")
        var names = histories.told[topic] ?? []
        let isNews = change.kind == .joined ? names.insert(change.id).inserted : names.remove(change.id) != nil
        if !isNews || change.presenceCount != names.count {
            complain(
                "\(change.id) has \(change.kind) \(topic) as one of \(change.presenceCount), not of \(names.sorted())")
        }
        histories.told[topic] = names
    }

    /// Who is listed is there, when nothing is under way.
    func checkPresence(isTold: Bool) {
        guard let histories, let server = histories.server?.server else { return }
        for topic in histories.topics {
            let listed = server.presence(of: Topic(topic))
            let counts = [String: Int](uniqueKeysWithValues: listed.map { ($0.id, $0.socketCount) })
            let present = histories.present[topic] ?? [:]
            for (name, sockets) in present {
                // One that closes has left at some time before it is closed.
                let fewest = sockets.count { !(members[$0]?.hasEnded ?? true) }
                if !(fewest...sockets.count).contains(counts[name] ?? 0) {
                    complain("\(name) is in \(topic) with \(counts[name] ?? 0) sockets, not \(fewest)")
                }
            }
            let names = Set(counts.keys)
            if let stranger = names.subtracting(present.keys).first { complain("\(stranger) is listed in \(topic)") }
            if isTold, names != histories.told[topic] ?? [] {
                let told = (histories.told[topic] ?? []).sorted()
                complain("\(names.sorted()) are in \(topic), and the server was told of \(told)")
            }
        }
    }
}
