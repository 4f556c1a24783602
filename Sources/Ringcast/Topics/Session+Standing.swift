import PubSub
import Reactor

/// How the socket stands to its topics. Their counts follow each change of it, so that a publish knows what will become
/// of its message without looking at every subscriber; sockets that keep up change nothing.
extension Session {
    var standing: Standing { unsafe state.pointee.standing }

    /// Bytes are left from an earlier flush, or as much is queued as may be: so it stays until all has left.
    func fallBehind() {
        guard isOpen, standing == .keepsUp else { return }
        unsafe state.pointee.standing = .behind
        loop.table.change(memberships, from: .keepsUp, to: .behind)
        connection.notifyWhenDrained()
        supersedeBacklog()
    }

    /// Everything that was queued has left.
    func catchUp() {
        guard standing == .behind else { return }
        unsafe state.pointee.standing = .keepsUp
        loop.table.change(memberships, from: .behind, to: .keepsUp)
    }

    /// The socket is closing: it counts as a subscriber no more, although `subscriptions` names its topics until the
    /// close handler has run. The `subscription` handler hears of it soon: this may be the middle of a fan-out.
    func leaveTopics() {
        guard standing != .leaving else { return }
        let old = standing
        unsafe state.pointee.standing = .leaving
        let (loop, slot, serial) = (loop, slot, serial)
        let isReported = withKind { $0.reportsSubscriptions }
        loop.table.change(memberships, from: old, to: .leaving) { topic, count in
            if isReported { loop.departures.append(Departure(slot: slot, serial: serial, topic: topic, count: count)) }
        }
    }
}

/// A closing socket has left a topic, and its handler has not heard of it yet.
struct Departure {
    let slot: UInt32
    let serial: UInt64
    let topic: Topic
    /// Subscribers that are left, on all loops.
    let count: Int
}

extension SocketLoop {
    /// In the order of the changes: also before any other change is told of.
    func reportDepartures() {
        while let departure = departures.popFirst() {
            guard let session = sessions.find(slot: departure.slot, serial: departure.serial) else { continue }
            session.callSubscription(departure.topic, before: departure.count + 1, after: departure.count)
        }
    }
}
