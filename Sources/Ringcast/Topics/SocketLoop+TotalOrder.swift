import PubSub
import Reactor
import WebSocketProtocol

/// Topics whose messages have one order for everybody.
///
///     publisher's loop ─ order ─▶ home loop ─ publish ─▶ every loop with subscribers, the publisher's too
///
/// The home loop gives a message its number, its subscribers here their frame and the others' lanes theirs in one step
/// that nothing comes into: no handler runs in it, and lanes keep order. What is published on the home loop itself is
/// numbered at once, in the same sequence. The frame travels as its publisher has encoded it.
extension SocketLoop {
    func publishInOrder(
        _ payload: UnsafeRawBufferPointer, as opcode: Opcode, to entry: TopicEntry, except excluded: Session?,
        elsewhere: Publisher?, retain: Bool, compress: Bool?
    ) -> SendResult {
        if let history = entry.history, history.rule.isShared {
            let publisher = excluded.map { self.publisher($0) } ?? elsewhere
            return unsafe core.append(
                payload, as: opcode, to: entry, history, except: publisher, retain: retain, compress: compress,
                isQuiet: isReportingDrop)
        }
        guard entry.home != eventLoop.index else {
            return reportingDropsBehind {
                if let history = entry.history {
                    return unsafe publishKept(
                        payload, as: opcode, to: entry, history, except: excluded, elsewhere: elsewhere, retain: retain,
                        compress: compress)
                }
                return unsafe distribute(
                    payload, as: opcode, to: entry, except: excluded, elsewhere: elsewhere, retain: retain,
                    compress: compress)
            }
        }
        let isKept = retain || entry.history != nil
        guard unsafe isKept || core.isShared(entry) || hasReceivers(entry, except: excluded?.subscriber) else {
            return .dropped
        }
        let frame = unsafe encode(
            payload, as: opcode, for: entry, owners: 1, stamp: 0, compress: core.isStamped(entry) ? false : compress)
        if isReportingDrop { frame.makeQuiet() }
        let publisher = excluded.map { self.publisher($0) } ?? elsewhere
        let message = LoopMessage.order(frame, except: publisher, retain: retain, compress: compress)
        guard post(message, to: entry.home, for: entry) else { return .dropped }
        let isBehind =
            unsafe eventLoop.isPastWatermark(of: entry.home)
            || behindCount(of: entry, except: excluded?.subscriber) > 0
            || entry.isBehindElsewhere(than: eventLoop.index)
        return isBehind ? .backpressure : .sent(bytes: payload.count)
    }

    /// A socket of this loop, as other loops know it.
    private func publisher(_ session: Session) -> Publisher {
        Publisher(loop: eventLoop.index, slot: session.slot, serial: session.serial)
    }

    /// Whether anybody but the publisher is subscribed, on whichever loop.
    private func hasReceivers(_ entry: TopicEntry, except excluded: SubscriptionTable.Subscriber?) -> Bool {
        let local = table.localSubscriberCount(of: entry)
        if entry.subscriberCount > local { return true }
        let receiver = unsafe table.newestSubscriber(of: entry) {
            unsafe $0 != excluded && Session(subscriber: $0).isOpen
        }
        return unsafe receiver != nil
    }

    /// Numbers a message of another loop or thread for a topic whose home is here, and hands it on to all subscribers.
    func order(_ frame: SharedFrame, except publisher: Publisher?, retain: Bool, compress: Bool?) {
        guard let named = frame.topic else { preconditionFailure("a frame without a topic was published") }
        let entry = table.currentEntry(of: named)
        guard entry.home == eventLoop.index else {
            // Meanwhile the topic was forgotten, and has come again in another spelling, which has another home.
            let message = LoopMessage.order(frame, except: publisher, retain: retain, compress: compress)
            _ = post(message, to: entry.home, for: entry)
            return
        }
        reportingDropsBehind {
            let frame = number(frame, in: entry, retain: retain, compress: compress)
            if !frame.isRemote {
                _ = unsafe core.publishToNodes(frame.encoded.payload, as: frame.encoded.opcode, of: entry)
            }
            frame.retain(by: core.counters.count)
            _ = unsafe handOut(frame, to: entry, except: subscriber(publisher), elsewhere: publisher)
        }
    }

    /// Gives a message its place, and keeps it where that is asked for. Takes the frame, and gives it back or another.
    private func number(_ frame: SharedFrame, in entry: TopicEntry, retain: Bool, compress: Bool?) -> SharedFrame {
        if let history = entry.history {
            return keep(frame, of: history, in: entry, retain: retain, compress: compress)
        }
        let stamp = retain ? core.registry.retain(unsafe [UInt8](frame.bytes), in: entry).stamp : entry.retainedCount
        frame.number(in: entry, stamp: stamp)
        return frame
    }

    /// Posts a message to a topic's home loop. What its lane has no room for is given back, and counted for all who
    /// would have got it.
    /// - Returns: whether it was posted.
    private func post(_ message: LoopMessage, to home: Int, for entry: TopicEntry) -> Bool {
        if eventLoop.post(message.pack(), to: home) { return true }
        message.forget()
        countLaneDrop(of: entry.subscriberCount, entry)
        return false
    }

    /// A publisher as this loop's subscription table knows it; nil if it is elsewhere, or closed.
    func subscriber(_ publisher: Publisher?) -> SubscriptionTable.Subscriber? {
        guard let publisher, publisher.loop == eventLoop.index else { return nil }
        return unsafe sessions.find(slot: publisher.slot, serial: publisher.serial)?.subscriber
    }

    /// Runs `body`, and lets `dropped` handlers hear of what it drops behind the outermost call: what they publish must
    /// not come between a message's number and its delivery, nor reach another loop before the message that it answers.
    @inline(__always)
    func reportingDropsBehind<Result>(_ body: () -> Result) -> Result {
        let isOutermost = !keepsDropReports
        keepsDropReports = true
        let result = body()
        if isOutermost {
            keepsDropReports = false
            if !noticedDrops.isEmpty { reportNamedDrops() }
        }
        return result
    }
}

extension SocketCore {
    /// Publishes to a topic of total order from a thread that is not one of the server's loops.
    /// - Parameter isRemote: whether the message came from another node.
    func publishInOrder(
        _ payload: UnsafeRawBufferPointer, as opcode: Opcode, to entry: TopicEntry, except publisher: Publisher?,
        retain: Bool, compress: Bool?, isRemote: Bool = false
    ) -> SendResult {
        let isWanted = retain || entry.history != nil || entry.subscriberCount > 0 || !isRemote && isShared(entry)
        guard let group, isWanted else { return .dropped }
        if let history = entry.history, history.rule.isShared {
            return unsafe append(
                payload, as: opcode, to: entry, history, except: publisher, retain: retain, compress: compress,
                isQuiet: false)
        }
        let frame = unsafe encode(
            payload, as: opcode, for: entry, owners: 1, stamp: 0, compress: isStamped(entry) ? false : compress)
        if isRemote { frame.makeRemote() }
        let message = LoopMessage.order(frame, except: publisher, retain: retain, compress: compress)
        guard group.post(foreign: message.pack(), to: entry.home) else {
            message.forget()
            countForeignDrop(of: entry.subscriberCount, entry, on: entry.home)
            return .dropped
        }
        let isBehind = group.isPastWatermark(of: entry.home) || entry.isBehindElsewhere(than: nil)
        return isBehind ? .backpressure : .sent(bytes: payload.count)
    }
}
