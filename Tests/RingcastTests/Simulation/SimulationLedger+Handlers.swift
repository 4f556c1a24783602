import PubSub

@testable import Ringcast

extension SimulationLedger {
    /// Sockets that do what the words of a message say, behind its number: `e`cho, `s`ubscribe, `u`nsubscribe,
    /// `p`ublish, `R`esume, `c`lose, `t`erminate, `h`old what comes, and to others by their references: w`r`ite some
    /// letters, write some and `k`ill, `x`: terminate, `w`ake who holds what comes.
    func handlers(_ options: WebSocketOptions) -> WebSocketHandlers<Int> {
        WebSocketHandlers(
            options: options,
            open: { self.opened($0.data, $0) },
            message: { ws, message in self.act(message, on: ws, options) },
            close: { ws, _, _ in self.closed(ws.data) },
            dropped: { ws, message in self.dropped(ws.data, message.string) })
    }

    private func act(_ message: borrowing Message, on ws: borrowing WebSocket<Int>, _ options: WebSocketOptions) {
        let text = message.string
        var words = SimulationWords(text)
        let id = ws.data
        guard let member = members[id], let number = words.nextNumber(), number == member.heard + 1,
            let verb = words.next()
        else {
            return complain("what the server heard of \(id) is not the next: \(text.prefix(40))")
        }
        tell?("\(id) said \(text.prefix(30))")
        member.heard = number
        switch verb {
        case "e": echo(text, message, on: ws, options)
        case "c":
            failed(id)
            ws.close(.normalClosure)
        case "t":
            failed(id)
            ws.terminate()
        case "h": if member.reference != nil, !readsAll { ws.pause() }
        case "r", "k", "x", "w": actOnOther(verb, &words, by: ws)
        case "R": resume(&words, on: ws)
        default: actOnTopic(verb, &words, on: ws)
        }
    }

    /// Every other echo is the message itself, which may leave from the buffer that it came in.
    private func echo(
        _ text: String, _ message: borrowing Message, on ws: borrowing WebSocket<Int>, _ options: WebSocketOptions
    ) {
        echoed(ws.data, text)
        let queued = ws.session.queuedMemory
        let result = members[ws.data]!.heard % 2 == 0 ? ws.send(message) : ws.send(text)
        if case .dropped = result { return }
        if queued >= options.backpressureLimit {
            complain("\(ws.data) was sent something with \(queued) bytes queued, \(options.backpressureLimit) allowed")
        }
    }

    private func actOnTopic(_ verb: Substring, _ words: inout SimulationWords, on ws: borrowing WebSocket<Int>) {
        let (id, topic) = (ws.data, String(words.next() ?? ""))
        switch verb {
        case "s": if ws.subscribe(to: Topic(topic)) { subscribed(id, to: topic) }
        case "u":
            unsubscribed(id, from: topic)
            ws.unsubscribe(from: Topic(topic))
        default:
            let publication = publish(id, to: topic)
            let result = ws.publish("m \(publication) \(words.remainder)", to: Topic(topic))
            if publication.isKept, case .dropped = result { histories?.refused(publication) }
        }
    }

    private func actOnOther(_ verb: Substring, _ words: inout SimulationWords, by ws: borrowing WebSocket<Int>) {
        guard let receiver = words.nextNumber() else { return }
        switch verb {
        case "x":
            guard let reference = members[receiver]?.reference else { return }
            failed(receiver)
            reference.terminate()
        case "w": members[receiver]?.reference?.resume()
        default:
            let count = words.nextNumber() ?? 1
            let padding = words.remainder
            for _ in 0..<count { write(to: receiver, by: ws, padding) }
            if verb == "k" { close(receiver, by: ws.data) }
        }
    }
}
