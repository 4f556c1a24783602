internal import Glibc
internal import IOUring
internal import SystemCalls

/// What this kernel's io_uring really does, found out by doing it once at start.
package struct UringCapabilities: Sendable {
    package let sendsInBatches: Bool
    package let notifiesRings: Bool
    package let gathersCompletions: Bool

    /// - Throws: when there is no ring to be had, or no multishot receive into provided buffers (Linux 6.1 has both).
    package static func probe() throws(ReactorError) -> UringCapabilities {
        guard KernelFeature.ring.isAllowed else {
            throw ReactorError("io_uring is switched off by RINGCAST_DISABLE", .noDriver)
        }
        do throws(SystemError) {
            let ring = try Ring(submissionEntries: 8, completionEntries: 64)
            let buffers = try BufferRing(in: ring, group: 0, bufferSize: 4096, bufferCount: 8)
            guard try receivesRepeatedly(ring, buffers) else { throw .invalidArgument }
            let sendsInBatches = try sendsInBatches(ring)
            let reachesRings = try reachesRings(ring)
            return UringCapabilities(
                sendsInBatches: KernelFeature.batchedSend.isAllowed && sendsInBatches,
                notifiesRings: KernelFeature.messageRing.isAllowed && reachesRings,
                gathersCompletions: KernelFeature.minimumWait.isAllowed && ring.canGather)
        } catch {
            throw .noRing(error)
        }
    }

    /// One armed receive has to complete for two arrivals.
    private static func receivesRepeatedly(_ ring: borrowing Ring, _ buffers: borrowing BufferRing) throws(SystemError)
        -> Bool
    {
        let pair = try SocketPair()
        ring.receive(on: pair.first, group: 0, userData: 1)
        for byte in [0x61, 0x62] as [UInt8] {
            guard pair.write([byte]) == 1 else { return false }
            if let refusal = ring.submitAndWait(milliseconds: 1000) { throw refusal }
            guard let completion = ring.nextCompletion(), completion.result == 1, completion.hasMore,
                let buffer = completion.buffer
            else { return false }
            guard unsafe buffers.memory(of: buffer)[0] == byte else { return false }
            buffers.giveBack(buffer)
        }
        return true
    }

    /// A batched send has to be silent when it takes everything, to tell its count when it takes a part, and to say
    /// EAGAIN when the socket is full. Where any of these fails, bytes would be lost silently.
    private static func sendsInBatches(_ ring: borrowing Ring) throws(SystemError) -> Bool {
        let pair = try SocketPair()
        guard answer(of: ring, sending: 100, on: pair.first) == nil, pair.read().count == 100 else { return false }
        // More than any socket buffer takes at once.
        guard let partial = answer(of: ring, sending: 8 << 20, on: pair.first), partial > 0, partial < 8 << 20,
            let full = answer(of: ring, sending: 100, on: pair.first), full == -EAGAIN
        else { return false }
        return pair.read().count == Int(partial)
    }

    /// A message has to arrive at another ring, without an answer. Where it does not, every wake-up would be lost.
    private static func reachesRings(_ ring: borrowing Ring) throws(SystemError) -> Bool {
        let other = try Ring(submissionEntries: 8, completionEntries: 64)
        ring.notify(ring: other.descriptor, message: 4, userData: 3)
        guard ring.submitAndWait(milliseconds: 0) == nil else { return false }
        while let completion = ring.nextCompletion() {
            if completion.userData == 3 { return false }
        }
        guard other.submitAndWait(milliseconds: 1000) == nil else { return false }
        return other.nextCompletion()?.userData == 4
    }

    private static func answer(of ring: borrowing Ring, sending count: Int, on socket: Int32) -> Int32? {
        let bytes = [UInt8](repeating: 0x2A, count: count)
        return unsafe bytes.withUnsafeBytes { bytes in
            unsafe ring.sendBatched(bytes, on: .descriptor(socket), userData: 2)
            guard ring.submitAndWait(milliseconds: 0) == nil else { return -EIO }
            while let completion = ring.nextCompletion() {
                if completion.userData == 2 { return completion.result }
            }
            return nil
        }
    }
}
