import PubSub
import Reactor
import WebSocketProtocol

/// Broadcast to compressed sockets: a message is deflated once for every class of windows that a subscriber has agreed
/// on, without context, so that all of the class get the same bytes.
extension SocketLoop {
    /// The fan-out where some subscribers here take another form than the plain one. As `deliver(_:to:except:)`.
    func deliver(
        _ forms: inout FrameForms, to entry: TopicEntry, except excluded: SubscriptionTable.Subscriber?
    ) -> Reach {
        settleFanOut()
        unsafe counters.pointee.fanOutWork += UInt64(table.localMemberCount(of: entry))
        var tally = FanOutTally()
        let policy = SlowConsumerPolicy(word: entry.policy)
        let isGoverned = policy != .dropNewest
        unsafe table.forEachSubscriber(of: entry) { subscriber in
            guard unsafe subscriber != excluded else { return }
            let session = unsafe Session(subscriber: subscriber)
            let form = session.form
            let frame = forms[form]
            if session.flags.contains(.keepsContext), forms.isDeflated(form) { session.forgetOutgoingContext() }
            if session.isBehind(isGoverned: isGoverned) {
                tally.noteCounted(session.deliver(frame, holding: &forms.held[form], policy: policy, of: entry))
            } else {
                tally.note(session.deliver(frame))
            }
        }
        count(tally)
        if !noticedDrops.isEmpty { reportDrops(of: forms[FrameForm.plain]) }
        return tally.reach
    }

    /// Encodes a message for other loops, deflated as well if some subscriber anywhere may want it so.
    func encode(
        _ payload: UnsafeRawBufferPointer, as opcode: Opcode, for entry: TopicEntry, owners: Int, stamp: UInt64,
        compress: Bool?
    ) -> SharedFrame {
        let wanted = Session.isToBeDeflated(payload.count, compress) ? entry.variants : 0
        unsafe counters.pointee.framesEncoded += 1
        guard wanted != 0 else {
            return unsafe SharedFrame.encode(payload, as: opcode, owners: owners, topic: entry, stamp: stamp)
        }
        unsafe counters.pointee.framesDeflated += UInt64(wanted.nonzeroBitCount)
        return unsafe SharedFrame.encode(
            payload, as: opcode, in: wanted, with: compression, owners: owners, topic: entry, stamp: stamp)
    }
}

extension SocketCore {
    /// The same for a thread that is not one of the server's loops: these share one set of compressors, under a lock.
    func encode(
        _ payload: UnsafeRawBufferPointer, as opcode: Opcode, for entry: TopicEntry, owners: Int, stamp: UInt64,
        compress: Bool?
    ) -> SharedFrame {
        let wanted = Session.isToBeDeflated(payload.count, compress) ? entry.variants : 0
        guard wanted != 0 else {
            return unsafe SharedFrame.encode(payload, as: opcode, owners: owners, topic: entry, stamp: stamp)
        }
        counters[0].countForeignDeflated(wanted.nonzeroBitCount)
        // A copy, since a pointer cannot be shown to the owner of the lock.
        let payload = unsafe [UInt8](payload)
        return foreignCompression.withLock { compression in
            unsafe payload.withUnsafeBytes {
                unsafe SharedFrame.encode(
                    $0, as: opcode, in: wanted, with: compression, owners: owners, topic: entry, stamp: stamp)
            }
        }
    }
}

extension SharedFrame {
    /// What the frame says it is.
    var opcode: Opcode { unsafe bytes[0] & 0x0F == Opcode.text.rawValue ? .text : .binary }

    /// What follows its header: it is not masked, nor compressed (RFC 6455 §5.2).
    var payload: UnsafeRawBufferPointer {
        let frame = unsafe bytes
        let headerLength = unsafe FrameHeader.encodedLength(ofFrame: frame)
        return unsafe UnsafeRawBufferPointer(rebasing: frame[headerLength...])
    }

    /// Encodes a message plain, and deflated in the forms of `wanted`.
    static func encode(
        _ payload: UnsafeRawBufferPointer, as opcode: Opcode, in wanted: UInt8, with compression: LoopCompression,
        owners: Int, topic: TopicEntry, stamp: UInt64
    ) -> SharedFrame {
        let forms = unsafe compression.deflate(payload, as: opcode, in: wanted)
        defer { compression.output.removeAll(keeping: LoopCompression.keptByteCount) }
        var lengths = VariantLengths(repeating: 0)
        for form in 1..<FrameForm.count { lengths[form - 1] = forms[form].count }
        let header = FrameHeader(opcode: opcode, payloadLength: payload.count)
        let length = header.encodedLength
        func fill(_ room: UnsafeMutableRawBufferPointer, from buffer: borrowing MessageBuffer) {
            let start = room.baseAddress!
            // Safe: room for the plain frame, and behind it for each form by its length, was asked for.
            unsafe header.write(to: start)
            unsafe (start + length).copyMemory(from: payload.baseAddress!, byteCount: payload.count)
            var offset = length + payload.count
            for form in 1..<FrameForm.count where !forms[form].isEmpty {
                unsafe buffer.bytes.extracting(forms[form]).withUnsafeBytes {
                    unsafe (start + offset).copyMemory(from: $0.baseAddress!, byteCount: $0.count)
                }
                offset += forms[form].count
            }
        }
        return unsafe SharedFrame.allocate(
            byteCount: length + payload.count, variants: lengths, owners: owners, topic: topic, stamp: stamp
        ) { unsafe fill($0, from: compression.output) }
    }
}
