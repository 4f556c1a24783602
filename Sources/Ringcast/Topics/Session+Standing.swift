import PubSub
import Reactor

/// How a socket stands to its topics: it keeps up, is behind, or is leaving. The topics' counts follow each change, so
/// that a publish knows what will become of its message without looking at every subscriber.
extension Session {
    var standing: Standing { unsafe state.pointee.standing }

    /// Notes that bytes are left from an earlier flush, or as many queued as may be. Undone once all have left.
    func fallBehind() {
        guard isOpen, standing == .keepsUp else { return }
        unsafe state.pointee.standing = .behind
        withKind { unsafe $0.counters.pointee.backpressureEvents += 1 }
        loop.table.change(memberships, from: .keepsUp, to: .behind)
        connection.notifyWhenDrained()
        supersedeBacklog()
    }

    /// Notes that everything that was queued has left.
    func catchUp() {
        guard standing == .behind else { return }
        unsafe state.pointee.standing = .keepsUp
        loop.table.change(memberships, from: .behind, to: .keepsUp)
    }

    /// Counts a closing socket as a subscriber no more, although `subscriptions` names its topics until the close
    /// handler has run. The `subscription` handler hears of it soon: this may be the middle of a fan-out.
    func leaveTopics() {
        guard standing != .leaving else { return }
        let old = standing
        unsafe state.pointee.standing = .leaving
        let (loop, slot, serial) = (loop, slot, serial)
        let isReported = withKind { $0.reportsSubscriptions }
        loop.table.change(memberships, from: old, to: .leaving) { topic, count in
            if isReported { loop.departures.append(Departure(slot: slot, serial: serial, topic: topic, count: count)) }
        }
        leaveAllPresence()
        stopResuming()
    }
}

/// A topic that a closing socket has left, of which its handler has not heard yet.
struct Departure {
    let slot: UInt32
    let serial: UInt64
    let topic: Topic
    /// Subscribers that are left, on all loops.
    let count: Int
}

extension SocketLoop {
    /// Tells the handlers of closing sockets what these have left, in order. Called before any later change is told of.
    func reportDepartures() {
        while let departure = departures.popFirst() {
            guard let session = sessions.find(slot: departure.slot, serial: departure.serial) else { continue }
            session.callSubscription(departure.topic, before: departure.count + 1, after: departure.count)
        }
    }
}
