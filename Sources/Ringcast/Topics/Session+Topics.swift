import PubSub
import Reactor
import WebSocketProtocol

/// A socket as publisher and as subscriber, and what references send to it.
extension Session {
    /// Publishes to a topic's subscribers, without this socket unless its options say otherwise.
    func publish(_ payload: UnsafeRawBufferPointer, as opcode: Opcode, to topic: Topic, retain: Bool, compress: Bool?)
        -> SendResult
    {
        let excluded = withKind { $0.publishToSelf } ? nil : self
        return unsafe loop.publish(
            payload, as: opcode, to: topic, except: excluded, retain: retain, compress: compress)
    }

    /// Queues a topic's frame, which lies in the loop's shared log, unless the socket is closed or its queue is at the
    /// limit.
    @inline(__always)
    func queue(_ frame: SharedBytes) -> DeliveryResult {
        guard isOpen else { return .closed }
        let result = unsafe state.pointee.connection.queueShared(frame, limit: withKind { $0.backpressureLimit })
        if case .atLimit = result { missedDelivery() }
        return result
    }

    /// Sends a message that a reference has sent from another loop or thread.
    func sendShared(_ frame: SharedFrame, compress: Bool?) {
        settleFanOut()
        guard isOpen else { return withKind { unsafe $0.counters.pointee.dropsClosed += 1 } }
        guard queuedMemory < withKind({ $0.backpressureLimit }) else {
            slowReferences()
            _ = refusedAtLimit()
            return reportDrop(frame.encoded)
        }
        let payload = unsafe frame.encoded.payload
        if traits.contains(.deflates), Self.isToBeDeflated(payload.count, compress) {
            _ = unsafe queueDeflated(payload, as: frame.encoded.opcode)
        } else {
            queueEncoded(frame.encoded)
        }
        withKind { unsafe $0.counters.pointee.messagesOut += 1 }
        if connection.isBlocked || queuedByteCount > Self.corkWatermark { slowReferences() }
    }

    /// Lets references on other threads report backpressure until the queue is empty.
    private func slowReferences() {
        extras?.lifeline?.block()
        oweDrain()
    }
}
