import PubSub
import Reactor
import WebSocketProtocol

/// Topics that remember: what their home loop does when it numbers a message, beside what total order asks of it. Why
/// nobody misses a message or gets one twice: `PubSub/TopicRegistry+History.swift`.
extension SocketLoop {
    /// Numbers, stamps and keeps a message that was published here, at the topic's home, and hands it to all
    /// subscribers.
    func publishKept(
        _ payload: UnsafeRawBufferPointer, as opcode: Opcode, to entry: TopicEntry, _ history: TopicHistory,
        except excluded: Session?, elsewhere: Publisher?, retain: Bool, compress: Bool?
    ) -> SendResult {
        let frame = unsafe encode(
            payload, as: opcode, for: entry, history, nextPosition(in: entry, history), stamp: entry.retainedCount,
            owners: core.counters.count + 1, compress: compress)
        if isReportingDrop { frame.makeQuiet() }
        core.registry.keep(frame, of: history, in: entry, retain: retain, now: now)
        let reach = unsafe handOut(frame, to: entry, except: excluded?.subscriber, elsewhere: elsewhere)
        return reach.blocked > 0 ? .backpressure : .sent(bytes: payload.count)
    }

    /// Numbers and keeps a message of another loop or thread. Takes the frame, and gives it back, or its stamped form.
    func keep(
        _ frame: SharedFrame, of history: TopicHistory, in entry: TopicEntry, retain: Bool, compress: Bool?
    ) -> SharedFrame {
        var numbered = frame
        if core.stamping(of: history) == nil {
            frame.number(in: entry, stamp: entry.retainedCount)
        } else {
            numbered = unsafe encode(
                frame.encoded.payload, as: frame.encoded.opcode, for: entry, history, nextPosition(in: entry, history),
                stamp: entry.retainedCount, owners: 1, compress: compress)
            if frame.isQuiet { numbered.makeQuiet() }
            if frame.isRemote { numbered.makeRemote() }
            frame.release()
        }
        core.registry.keep(numbered, of: history, in: entry, retain: retain, now: now)
        return numbered
    }

    /// The position of the next message of a topic that is numbered here.
    private func nextPosition(in entry: TopicEntry, _ history: TopicHistory) -> Position {
        Position(epoch: history.epoch, offset: entry.retainedCount + 1)
    }

    /// Encodes a message of a topic with history, stamped with its position if it is to be.
    func encode(
        _ payload: UnsafeRawBufferPointer, as opcode: Opcode, for entry: TopicEntry, _ history: TopicHistory,
        _ position: Position, stamp: UInt64, owners: Int, compress: Bool?
    ) -> SharedFrame {
        func encode(_ payload: UnsafeRawBufferPointer, _ opcode: Opcode) -> SharedFrame {
            unsafe self.encode(payload, as: opcode, for: entry, owners: owners, stamp: stamp, compress: compress)
        }
        guard let stamping = core.stamping(of: history) else { return unsafe encode(payload, opcode) }
        return unsafe stamping.withStamped(payload, as: opcode, position) { unsafe encode($0, $1) }
    }

    /// Hands a new subscriber what it has missed, as if it were published now; takes the frames. Handlers hear of what
    /// is dropped when all are handed over.
    func hand(_ frames: [SharedFrame], of topic: Topic, to session: Session) {
        guard !frames.isEmpty else { return }
        let entry = table.entry(for: topic)
        let policy = SlowConsumerPolicy(word: entry.policy)
        reportingDropsBehind {
            for frame in frames {
                var forms = forms(of: frame, in: entry)
                let drops = unsafe counters.pointee.fanOutDrops
                var tally = FanOutTally()
                tally.hand(&forms, of: entry, policy, to: session)
                count(tally, of: entry, dropsBefore: drops)
                if !noticedDrops.isEmpty { nameDrops(of: forms[FrameForm.plain]) }
                frame.release()
            }
        }
    }
}
