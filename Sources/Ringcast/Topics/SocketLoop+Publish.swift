// Ringcast/Topics: what a publish does on its loop and on others, the walk over subscribers
// (`SocketLoop+FanOut.swift`), order, retained messages, subscribers that do not keep up, and the handlers that hear of
// it. Who is subscribed to what is in PubSub; how a frame is written, in `Wire/`; what a socket does with what is sent
// to it alone, in `Session/`.

import PubSub
import Reactor
import WebSocketProtocol

extension SocketLoop {
    /// Sends one message to the subscribers of a topic on every loop: here at once, elsewhere through one lane per
    /// interested loop. Topics of total order go another way: `SocketLoop+TotalOrder.swift`.
    /// - Parameters:
    ///   - excluded: a socket of this loop that does not get the message.
    ///   - elsewhere: a socket of another loop that does not get it.
    func publish(
        _ payload: UnsafeRawBufferPointer, as opcode: Opcode, to topic: Topic, except excluded: Session?,
        elsewhere: Publisher? = nil, retain: Bool = false, compress: Bool? = nil
    ) -> SendResult {
        guard topic.isValid else { return .dropped }
        unsafe counters.pointee.publishes += 1
        let entry = table.entry(for: topic)
        guard TopicOrder(word: entry.policy) == .perPublisher else {
            return unsafe publishInOrder(
                payload, as: opcode, to: entry, except: excluded, elsewhere: elsewhere, retain: retain,
                compress: compress)
        }
        return unsafe distribute(
            payload, as: opcode, to: entry, except: excluded, elsewhere: elsewhere, retain: retain, compress: compress)
    }

    /// Retains a message if it is to be, fans it out here, and forwards it to other loops.
    ///
    /// It is encoded once for all subscribers: where other loops are interested, as a `SharedFrame` that all of them
    /// read, and this loop copies into its shared log; else straight into the log. Subscribers' send queues refer to
    /// the log.
    func distribute(
        _ payload: UnsafeRawBufferPointer, as opcode: Opcode, to entry: TopicEntry, except excluded: Session?,
        elsewhere: Publisher?, retain: Bool, compress: Bool?
    ) -> SendResult {
        // Sockets of this loop have subscribed before this publish, or will after it: only other loops need the stamp.
        let (stamp, isKept) =
            retain ? core.registry.retain([UInt8](unsafe OutgoingFrame(opcode, payload)), in: entry) : (nil, false)
        let away = unsafe core.publishToNodes(payload, as: opcode, of: entry)
        var reach: Reach = (0, 0)
        if entry.isInterestedElsewhere(than: eventLoop.index) {
            let frame = unsafe encode(
                payload, as: opcode, for: entry, owners: core.counters.count + 1,
                stamp: stamp ?? entry.retainedCount, compress: compress)
            if isReportingDrop { frame.makeQuiet() }
            reach = reportingDropsBehind {
                unsafe handOut(frame, to: entry, except: excluded?.subscriber, elsewhere: elsewhere)
            }
        } else if Session.isToBeDeflated(payload.count, compress), entry.variants(of: eventLoop.index) != 0 {
            var forms = unsafe FrameForms(of: payload, as: opcode, on: self)
            reach = unsafe fanOut(&forms, to: entry, except: excluded?.subscriber)
        } else if table.localMemberCount(of: entry) > 0 {
            unsafe counters.pointee.framesEncoded += 1
            reach = unsafe fanOut(
                eventLoop.share(OutgoingFrame(opcode, payload)), to: entry, except: excluded?.subscriber)
        }
        guard reach.count + away.count > 0 else { return isKept ? .sent(bytes: payload.count) : .dropped }
        return reach.blocked + away.blocked > 0 ? .backpressure : .sent(bytes: payload.count)
    }

    /// How many subscribers, or other loops, get a frame (1 may stand for any number of them), and how many are behind,
    /// with or without it.
    typealias Reach = (count: Int, blocked: Int)

    /// Hands a frame to the subscribers here, and to the other loops that have some. Takes the frame's owners as
    /// `forward` does.
    func handOut(
        _ frame: SharedFrame, to entry: TopicEntry, except excluded: SubscriptionTable.Subscriber?,
        elsewhere: Publisher?
    ) -> Reach {
        let isLocal = table.localMemberCount(of: entry) > 0
        let local: Reach = isLocal ? unsafe fanOut(frame, to: entry, except: excluded) : (0, 0)
        let remote = forward(frame, to: entry, except: elsewhere)
        return (local.count + remote.count, local.blocked + remote.blocked)
    }

    /// Hands the frame to the other loops that have subscribers, and gives up what is left of its owners: one for each
    /// loop, since interest may change while it is looked at, and one for this call.
    func forward(_ frame: SharedFrame, to entry: TopicEntry, except publisher: Publisher? = nil) -> Reach {
        var reach: Reach = (0, 0)
        entry.forEachInterestedLoop { target in
            guard target != eventLoop.index else { return }
            let excluded = publisher?.loop == target ? publisher : nil
            if eventLoop.post(LoopMessage.publish(frame, except: excluded).pack(), to: target) {
                reach.count += 1
                if entry.isBehind(target) || eventLoop.isPastWatermark(of: target) { reach.blocked += 1 }
            } else {
                // Some have got it: who hears "dropped" would send it again.
                reach.blocked += 1
                countLaneDrop(of: entry.subscriberCount(on: target), entry)
            }
        }
        frame.release(by: core.counters.count + 1 - reach.count)
        return reach
    }
}
