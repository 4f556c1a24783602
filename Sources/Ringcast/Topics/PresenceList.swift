import PubSub
import Synchronization

/// Who is in which topic, on all loops: identities, which several sockets may stand for. Any thread; a lock, which only
/// joins, leaves and listings with an identity take.
///
/// Changes wait in the order in which they were made until the topic's home loop tells of them, so that a leave and a
/// join on two loops are told of as they happened.
final class PresenceList: Sendable {
    private struct Identity {
        var info: String?
        var sockets: Int
    }

    private struct Topics {
        var identities: [Topic: [String: Identity]] = [:]
        var changes: [Topic: [PresenceChange]] = [:]
    }

    /// Bytes of an identity and what is said of it.
    private static let identityLimit = 4 << 10

    /// Identities of one topic.
    private let limit: Int
    private let isTold: Bool
    private let topics = Mutex(Topics())

    init(limit: Int, isTold: Bool) { (self.limit, self.isTold) = (limit, isTold) }

    enum Outcome { case unchanged, changed, refused }

    /// Counts a socket in. What it says of its identity goes for all its sockets.
    /// - Returns: `changed` if it is the identity's first, and that is to be told of.
    func join(_ topic: Topic, as id: String, info: String?) -> Outcome {
        guard id.utf8.count + (info?.utf8.count ?? 0) <= Self.identityLimit else { return .refused }
        return topics.withLock { topics in
            var here = topics.identities[topic] ?? [:]
            // The dictionary is changed in place.
            topics.identities[topic] = nil
            defer { topics.identities[topic] = here.isEmpty ? nil : here }
            if let known = here[id] {
                here[id] = Identity(info: info, sockets: known.sockets + 1)
                return .unchanged
            }
            guard here.count < limit else { return .refused }
            here[id] = Identity(info: info, sockets: 1)
            return note(.joined, id, info, count: here.count, in: topic, &topics.changes)
        }
    }

    /// Counts a socket out.
    /// - Returns: `changed` if it was the identity's last, and that is to be told of.
    func leave(_ topic: Topic, as id: String) -> Outcome {
        topics.withLock { topics in
            guard var here = topics.identities.removeValue(forKey: topic) else { return .unchanged }
            defer { topics.identities[topic] = here.isEmpty ? nil : here }
            guard let known = here[id] else { return .unchanged }
            guard known.sockets == 1 else {
                here[id]?.sockets -= 1
                return .unchanged
            }
            here[id] = nil
            return note(.left, id, known.info, count: here.count, in: topic, &topics.changes)
        }
    }

    private func note(
        _ kind: PresenceChange.Kind, _ id: String, _ info: String?, count: Int, in topic: Topic,
        _ changes: inout [Topic: [PresenceChange]]
    ) -> Outcome {
        guard isTold else { return .unchanged }
        changes[topic, default: []].append(PresenceChange(kind: kind, id: id, info: info, presenceCount: count))
        return .changed
    }

    /// Takes what has changed since the last call. Called by the topic's home loop.
    func takeChanges(of topic: Topic) -> [PresenceChange] {
        topics.withLock { $0.changes.removeValue(forKey: topic) ?? [] }
    }

    func members(of topic: Topic) -> [PresentMember] {
        topics.withLock { topics in
            (topics.identities[topic] ?? [:])
                .map { PresentMember(id: $0.key, info: $0.value.info, socketCount: $0.value.sockets) }
        }
    }

    func count(of topic: Topic) -> Int { topics.withLock { $0.identities[topic]?.count ?? 0 } }
}
