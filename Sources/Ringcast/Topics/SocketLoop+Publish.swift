import PubSub
import Reactor
import WebSocketProtocol

extension SocketLoop {
    /// Sends one message to the subscribers of a topic on every loop: here at once, elsewhere through one lane per
    /// interested loop. The frame is encoded once for all other loops; for this loop's subscribers it is written
    /// straight into their corks. Topics of total order go another way: `SocketLoop+TotalOrder.swift`.
    /// - Parameter excluded: the publisher, unless it is to receive its own message.
    func publish(
        _ payload: UnsafeRawBufferPointer, as opcode: Opcode, to topic: Topic, except excluded: Session?,
        retain: Bool = false, compress: Bool? = nil
    ) -> SendResult {
        guard topic.isValid else { return .dropped }
        unsafe counters.pointee.publishes += 1
        let entry = table.entry(for: topic)
        guard TopicOrder(word: entry.policy) == .perPublisher else {
            return unsafe publishInOrder(
                payload, as: opcode, to: entry, except: excluded, retain: retain, compress: compress)
        }
        return unsafe distribute(payload, as: opcode, to: entry, except: excluded, retain: retain, compress: compress)
    }

    func distribute(
        _ payload: UnsafeRawBufferPointer, as opcode: Opcode, to entry: TopicEntry, except excluded: Session?,
        retain: Bool, compress: Bool?
    ) -> SendResult {
        // Sockets of this loop have subscribed before this publish, or will after it: only other loops need the stamp.
        let (stamp, isKept) = retain ? core.registry.retain(unsafe .frame(opcode, payload), in: entry) : (nil, false)
        var (local, remote): (Reach, Reach) = ((0, 0), (0, 0))
        if entry.isInterestedElsewhere(than: loop.index) {
            // Encoded once for all loops, this one too. As many owners as there may be targets, and this call:
            // interest may change while it is looked at.
            let frame = unsafe encode(
                payload, as: opcode, for: entry, owners: core.counters.count + 1,
                stamp: stamp ?? entry.retainedCount, compress: compress)
            if isReportingDrop { frame.makeQuiet() }
            if table.localMemberCount(of: entry) > 0 {
                local = unsafe deliver(frame, to: entry, except: excluded?.subscriber)
            }
            remote = forward(frame, to: entry)
        } else if Session.isToBeDeflated(payload.count, compress), entry.variants(of: loop.index) != 0 {
            var forms = unsafe FrameForms(of: payload, as: opcode, on: self)
            local = unsafe deliver(&forms, to: entry, except: excluded?.subscriber)
        } else {
            local = unsafe deliver(payload, as: opcode, to: entry, except: excluded)
        }
        guard local.count + remote.count > 0 else { return isKept ? .sent(bytes: payload.count) : .dropped }
        return local.blocked + remote.blocked > 0 ? .backpressure : .sent(bytes: payload.count)
    }

    /// How many get it, and how many do not keep up: those that are behind, with or without it. The first may be 1 for
    /// any number.
    typealias Reach = (count: Int, blocked: Int)

    private func deliver(
        _ payload: UnsafeRawBufferPointer, as opcode: Opcode, to entry: TopicEntry, except excluded: Session?
    ) -> Reach {
        guard table.localMemberCount(of: entry) > 0 else { return (0, 0) }
        let frame = unsafe loop.share(payload, as: opcode)
        unsafe counters.pointee.framesEncoded += 1
        return unsafe deliver(frame, to: entry, except: excluded?.subscriber)
    }

    /// The fan-out: a reference to the frame in each subscriber's send queue.
    private func deliver(
        _ frame: SharedBytes, to entry: TopicEntry, except excluded: SubscriptionTable.Subscriber?
    ) -> Reach {
        let policy = SlowConsumerPolicy(word: entry.policy)
        guard policy != .dropNewest else { return unsafe deliverInRun(frame, to: entry, except: excluded) }
        // Settling runs handlers, which may fill the log.
        loop.keep(frame)
        defer { loop.release(frame) }
        settleFanOut()
        var tally = FanOutTally()
        var held: [UInt8]?
        unsafe table.forEachSubscriber(of: entry) { subscriber in
            guard unsafe subscriber != excluded else { return }
            let session = unsafe Session(subscriber: subscriber)
            if session.isBehind(isGoverned: true) {
                tally.noteCounted(session.deliver(frame, holding: &held, policy: policy, of: entry))
            } else {
                tally.note(session.deliver(frame))
            }
        }
        unsafe counters.pointee.fanOutWork += UInt64(table.localMemberCount(of: entry))
        count(tally)
        if !noticedDrops.isEmpty { reportDrops(of: frame) }
        return tally.reach
    }

    /// Hands the frame to the other loops that have subscribers, and gives up this loop's share of it.
    private func forward(_ frame: SharedFrame, to entry: TopicEntry) -> Reach {
        var reach: Reach = (0, 0)
        entry.forEachInterestedLoop { target in
            guard target != loop.index else { return }
            if loop.post(LoopMessage.publish(frame, except: nil).pack(), to: target) {
                reach.count += 1
                if entry.isBehind(target) || loop.isPastWatermark(of: target) { reach.blocked += 1 }
            } else {
                // Some have got it: who hears "dropped" would send it again.
                reach.blocked += 1
                unsafe counters.pointee.dropsInLanes += UInt64(entry.subscriberCount(on: target))
            }
        }
        frame.release(by: core.counters.count + 1 - reach.count)
        return reach
    }

    /// The fan-out of a frame that was encoded for several loops.
    func deliver(
        _ frame: SharedFrame, to entry: TopicEntry, except excluded: SubscriptionTable.Subscriber?
    ) -> Reach {
        if frame.hasVariants, entry.variants(of: loop.index) != 0 {
            var forms = FrameForms(of: frame, on: self)
            return unsafe deliver(&forms, to: entry, except: excluded)
        }
        return unsafe deliver(share(frame), to: entry, except: excluded)
    }

    /// Copies a frame into this loop's shared log.
    private func share(_ frame: SharedFrame) -> SharedBytes { unsafe loop.share(frame.bytes, in: FrameForm.plain) }

    /// The fan-out of a frame that another loop or thread has published.
    private func deliver(_ frame: SharedFrame, except publisher: Publisher?) {
        guard let entry = frame.topic else { preconditionFailure("a frame without a topic was published") }
        let excluded = unsafe subscriber(publisher)
        if table.isForAll(entry, stamp: frame.stamp) {
            _ = unsafe deliver(frame, to: entry, except: excluded)
        } else {
            unsafe deliver(share(frame), to: entry, stamp: frame.stamp, except: excluded)
        }
    }

    /// A message of this server has come from another loop or thread.
    func received(_ message: ServiceMessage) {
        switch LoopMessage(unpacking: message) {
        case .publish(let frame, let publisher):
            if frame.isQuiet {
                quietly { deliver(frame, except: publisher) }
            } else {
                deliver(frame, except: publisher)
            }
            frame.release()
        case .order(let frame, let publisher, let retain):
            if frame.isQuiet {
                quietly { order(frame, except: publisher, retain: retain) }
            } else {
                order(frame, except: publisher, retain: retain)
            }
        case .send(let frame, let slot, let serial, let compress):
            if let session = sessions.find(slot: slot, serial: serial) {
                if frame.isQuiet {
                    quietly { session.sendShared(frame, compress: compress) }
                } else {
                    session.sendShared(frame, compress: compress)
                }
            } else {
                unsafe counters.pointee.dropsClosed += 1
            }
            frame.release()
        case .job(let job): job.run(on: self)
        }
    }
}

extension SharedFrame {
    /// Encodes an unmasked, unfragmented frame (RFC 6455 §5.2) for `owners` loops.
    static func encode(
        _ payload: UnsafeRawBufferPointer, as opcode: Opcode, owners: Int, topic: TopicEntry? = nil, stamp: UInt64 = 0
    ) -> SharedFrame {
        let header = FrameHeader(opcode: opcode, payloadLength: payload.count)
        let length = header.encodedLength
        // Safe: exactly this many bytes were asked for.
        return unsafe SharedFrame.allocate(
            byteCount: length + payload.count, owners: owners, topic: topic, stamp: stamp
        ) { room in
            unsafe header.write(to: room.baseAddress!)
            if let bytes = payload.baseAddress {
                unsafe (room.baseAddress! + length).copyMemory(from: bytes, byteCount: payload.count)
            }
        }
    }
}
