import PubSub

@testable import Ringcast

/// What sockets do, and whether they got what they were owed.
extension ClusterLedger {
    /// Sockets that do what the words of a message say: `s`ubscribe, `u`nsubscribe, `p`ublish, `c`lose.
    func handlers(of node: Int) -> WebSocketHandlers<Int> {
        WebSocketHandlers(
            options: WebSocketOptions(idleTimeout: .zero),
            open: { self.opened($0.data, on: node) },
            message: { ws, message in self.act(message.string, on: ws, of: node) },
            close: { ws, _, _ in self.closed(ws.data) },
            dropped: { ws, message in self.complain("\(message.string.prefix(20)) was dropped for \(ws.data)") })
    }

    private func act(_ text: String, on ws: borrowing WebSocket<Int>, of node: Int) {
        let words = text.split(separator: " ", maxSplits: 2)
        let (id, topic) = (ws.data, words.count > 1 ? String(words[1]) : "")
        switch words[0] {
        case "s": if ws.subscribe(to: Topic(topic)) { subscribed(id, to: topic) }
        case "u":
            unsubscribed(id, from: topic)
            ws.unsubscribe(from: Topic(topic))
        case "p":
            let loop = ws.session.loop.eventLoop.index
            let text = publish(by: id, on: node, loop: loop, to: topic, words.count > 2 ? words[2] : "")
            ws.publish(text, to: Topic(topic))
        default:
            ending(id)
            ws.close(.normalClosure)
        }
    }

    /// All loops of the nodes that run rest: what is published there has come, and every loop knows who is subscribed.
    func settle(_ runs: (Int) -> Bool) {
        for (id, member) in members where !member.hasEnded && runs(member.node) {
            if let number = member.owed.min() {
                complain("\(id) never got \(number), which was published to \(publications[number].topic) on its node")
            }
            member.settled = member.subscriptions
        }
    }

    /// Every connection lives, and nothing is under way: what has not come has to have been told of as a gap.
    func checkForwarded() {
        for (id, member) in members {
            for (number, wire) in member.forwarded.sorted(by: { $0.key < $1.key }) {
                let what = "\(id) never got \(number), which the engine sent to node \(member.node)"
                guard let gaps = wire.gapsAtLoss else { return complain("\(what) by a connection that lives") }
                if nodes[member.node].gaps <= gaps { return complain("\(what), and no gap was told") }
            }
            member.forwarded = [:]
        }
    }

    /// Topics of total order: of any two subscribers, what both got of one node came in one order.
    func checkOrder() {
        let topics = Set(members.values.lazy.flatMap { $0.ordered.keys })
        for topic in topics {
            let lists = members.sorted { $0.key < $1.key }.compactMap { $0.value.ordered[topic] }
            for node in nodes.indices {
                let lists = lists.map { $0.filter { publications[$0].stream.node == node } }.filter { $0.count > 1 }
                for (index, one) in lists.enumerated() {
                    for other in lists[(index + 1)...] {
                        let (left, right) = (Set(one), Set(other))
                        guard one.filter(right.contains) == other.filter(left.contains) else {
                            return complain(
                                "two subscribers of \(topic) got the messages of node \(node) in two orders")
                        }
                    }
                }
            }
        }
    }

    /// Topics that sockets of a node are subscribed to.
    func topics(of node: Int) -> Set<String> {
        members.values.reduce(into: []) { topics, member in
            if member.node == node, !member.hasEnded { topics.formUnion(member.subscriptions) }
        }
    }

    /// How many sockets are subscribed to a topic on nodes that run.
    func subscribers(of topic: String, _ runs: (Int) -> Bool) -> Int {
        members.values.count { !$0.hasEnded && runs($0.node) && $0.subscriptions.contains(topic) }
    }
}
