public import PubSub

extension Server {
    /// The names of the cluster's nodes, this one among them, in no order: those that were heard within the last 15
    /// to 20 seconds. Empty where there is no cluster. Costs a lock. Any thread.
    public var clusterNodes: [String] { core.cluster?.nodes ?? [] }

    /// The cluster's other nodes, with how long it is that each was heard; empty where there is no cluster.
    package var clusterPeers: [(peer: ClusterPeer, silence: Duration)] {
        let now = core.group?.milliseconds ?? 0
        return (core.cluster?.node.roster.peers ?? []).map { peer in
            (peer, .milliseconds(Int64(max(now, peer.heardAt) - peer.heardAt)))
        }
    }

    /// How many sockets are subscribed to a topic on all nodes. Costs a message to each node, one back, and the wait
    /// for the slowest. Where there is no cluster, and for topics that do not cross, it is `subscriberCount`. Any task.
    /// - Throws: if a node does not answer within two seconds, such as one that has just died.
    public func clusterSubscriberCount(of topic: Topic) async throws(ServerError) -> Int {
        let answers = try await core.askNodes(.init(kind: .subscribers, topic: topic))
        return answers.reduce(subscriberCount(of: topic)) { sum, answer in
            // Anybody who may publish to the engine may have answered.
            guard let count = Int(String(decoding: answer, as: UTF8.self)), 0..<1 << 40 ~= count else { return sum }
            return sum &+ count
        }
    }
}

extension SocketCore {
    /// What all other nodes answer; nothing where there are none that the topic is shared with.
    func askNodes(_ question: ClusterQuestion) async throws(ServerError) -> [[UInt8]] {
        guard let cluster, registry.policy(of: question.topic) & TopicScope.mask == 0 else { return [] }
        guard let answers = await cluster.ask(question, self) else {
            throw ServerError("a node of the cluster has not answered", code: .clusterSilent)
        }
        return answers
    }

    /// Who is in a topic on all nodes: an identity is one member, wherever its sockets are.
    func presenceOfAllNodes(in topic: Topic) async throws(ServerError) -> [PresentMember] {
        var members: [String: PresentMember] = [:]
        func add(_ member: PresentMember) {
            let known = members[member.id]
            members[member.id] = PresentMember(
                id: member.id, info: known?.info ?? member.info,
                socketCount: member.socketCount &+ (known?.socketCount ?? 0))
        }
        presence.members(of: topic).forEach(add)
        for answer in try await askNodes(.init(kind: .presence, topic: topic)) {
            PresentMember.read(answer).forEach(add)
        }
        return Array(members.values)
    }
}

extension PresentMember {
    /// Three strings of a row.
    var written: [UInt8] {
        Netstring.write(id.utf8) + Netstring.write("\(socketCount)".utf8)
            + Netstring.write((info.map { "=\($0)" } ?? "").utf8)
    }

    /// Members written in a row; what makes no sense is left out.
    static func read(_ bytes: [UInt8]) -> [PresentMember] {
        guard let strings = Netstring.read(bytes[...]) else { return [] }
        return stride(from: 0, to: strings.count - strings.count % 3, by: 3).compactMap { index in
            let texts = strings[index..<index + 3].map { String(decoding: $0, as: UTF8.self) }
            guard let count = Int(texts[1]), count > 0, count < 1 << 40 else { return nil }
            return PresentMember(
                id: texts[0], info: texts[2].isEmpty ? nil : String(texts[2].dropFirst()), socketCount: count)
        }
    }
}
