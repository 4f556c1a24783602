import Reactor
import WebSocketProtocol

/// Timeouts cost a store per receive: a session remembers when bytes last came, and its one deadline, when it fires,
/// looks whether that is long enough ago, or is set again.
extension Session {
    @inline(__always)
    func noteInbound(at now: UInt64) {
        unsafe state.pointee.lastInbound = now
        if flags.contains(.pinged) { flags.remove(.pinged) }
    }

    /// Sets the first deadline of a socket that has just been opened.
    func startLiveness(now: UInt64) {
        let (stall, lifetime) = withKind { ($0.writeStallTimeout, $0.maxLifetime) }
        connection.setWriteStallTimeout(stall)
        if lifetime > 0 { makeExtras().lifetimeEnd = now + lifetime }
        startMeter(at: now)
        connection.setDeadline(nextDeadline())
    }

    /// Does what is due at the connection's deadline, and sets the next one.
    func deadlineReached(now: UInt64) {
        guard phase != .terminated else { return }
        if finishPostponed() { return }
        if phase == .closing { return closeDeadlineReached() }
        if phase == .stopping { return closeForStop() }
        if traits.contains(.events) { return sendComment(now: now) }
        endThrottle(at: now)
        if isHeld { rest(at: now) }
        let (idle, pingAfter) = withKind { ($0.idleTimeout, $0.pingAfter) }
        if let end = extras?.lifetimeEnd, now >= end { return close(.goingAway, reason: "lifetime over", isOwn: true) }
        if idle > 0, unsafe now - state.pointee.lastInbound >= idle { noteOtherLife(at: now) }
        let silence = unsafe now - state.pointee.lastInbound
        if let pingAfter, silence >= pingAfter, !flags.contains(.pinged) {
            sendLivenessPing(now: now)
        } else if idle > 0, now >= endOfSilence {
            return fail(.goingAway, reason: "idle timeout")
        }
        connection.setDeadline(nextDeadline())
    }

    /// When something is next due: the ping, the end of the silence, the end of the lifetime, or that of a throttle.
    func nextDeadline() -> UInt64? {
        let (idle, pingAfter) = withKind { ($0.idleTimeout, $0.pingAfter) }
        var silence: UInt64?
        if let pingAfter, !flags.contains(.pinged) {
            silence = unsafe state.pointee.lastInbound + pingAfter
        } else if idle > 0 {
            silence = endOfSilence
        }
        guard let extras else { return silence }
        return [silence, extras.lifetimeEnd, extras.throttledUntil].lazy.compactMap(\.self).min()
    }

    /// When a peer that stays silent is given up. A ping that goes out late, since the loop stood still (a handler that
    /// blocks, a stopped process, a suspended machine), has all of its time to be answered: nobody is given up for a
    /// silence that was ours. The 128 ms that any deadline may be late are no standstill.
    private var endOfSilence: UInt64 {
        let (idle, pingAfter) = withKind { ($0.idleTimeout, $0.pingAfter) }
        let end = unsafe state.pointee.lastInbound + idle
        guard flags.contains(.pinged), let pingAfter, let sent = extras?.pingSent else { return end }
        return max(end + 128, sent + idle - pingAfter) - 128
    }

    /// Cuts the connection, since the peer's Close has not come in time. A peer that still takes what is queued, and
    /// not too slowly, gets more of it, since what was sent before the close goes out first; a server that stops ends
    /// that at its own deadline.
    private func closeDeadlineReached() {
        let connection = connection
        let queued = connection.queuedByteCount
        if queued > 0, let end = connection.endOfPatience(withKind { $0.closeTimeout }) {
            return connection.setDeadline(end)
        }
        end(.abnormalClosure, reason: "no Close came in time")
        if queued > 0 { connection.abort() } else { connection.close() }
    }

    private func closeForStop() {
        let plan = loop.core.stopPlan
        close(plan.code, reason: plan.reason, isOwn: true)
    }

    /// Begins the idle time anew for other signs of life than bytes that come in: a handler that works on what came,
    /// and the taking of bytes that wait, behind which the peer may not have met the ping yet.
    private func noteOtherLife(at now: UInt64) {
        if extras?.inbox?.task != nil { return rest(at: now) }
        if connection.isBlocked {
            let taken = connection.timeOfProgress
            if unsafe taken > state.pointee.lastInbound { noteInbound(at: taken) }
        } else if let extras, extras.untakenAtPing > 0 {
            // All that waits is in the kernel. New bytes come on top of it: if fewer are left, some were taken.
            let left = connection.untakenByteCount
            if left < extras.untakenAtPing { noteInbound(at: now) }
            extras.untakenAtPing = left
        }
    }

    /// Sends the ping of a silence. It needs no room, since each silence has but one.
    private func sendLivenessPing(now: UInt64) {
        flags.insert(.pinged)
        let extras = makeExtras()
        extras.pingSent = now
        extras.untakenAtPing = connection.untakenByteCount
        unsafe queueControl(.ping, UnsafeRawBufferPointer(start: nil, count: 0), isBounded: false)
    }

    func notePong() {
        guard let extras, let sent = extras.pingSent else { return }
        extras.roundTrip = .milliseconds(loop.now - sent)
        extras.pingSent = nil
    }
}

extension Session {
    /// Counts a ping or a pong.
    /// - Returns: false if the frame was one too many; the session is gone then.
    func admitControlFrame(now: UInt64) -> Bool {
        let second = UInt32(truncatingIfNeeded: now / 1_000)
        if unsafe second &- state.pointee.controlWindow >= 10 {
            unsafe state.pointee.controlWindow = second
            unsafe state.pointee.controlFrames = 0
        }
        unsafe state.pointee.controlFrames += 1
        let most = withKind { $0.maxControlFrames }
        guard unsafe state.pointee.controlFrames > most else { return true }
        fail(.policyViolation, reason: "too many control frames")
        return false
    }

    /// Answers a ping with its own payload (RFC 6455 §5.5.3). Once pongs that the peer does not take fill their room,
    /// only the newest waits behind them, as the RFC allows, so that pings cannot grow the queue.
    func answerPing(_ payload: RawSpan) {
        // Safe: both copy the bytes before the closure returns.
        unsafe payload.withUnsafeBytes { bytes in
            if unsafe queueControl(.pong, bytes) {
                if let extras { extras.pendingPong = nil }
            } else {
                makeExtras().pendingPong = unsafe [UInt8](bytes)
                connection.notifyWhenDrained()
            }
        }
    }

    /// Goes on when the kernel has taken everything: the pong that waited goes out, the backlog moves on, and `drain`
    /// is called if it is owed.
    func drained() {
        if let extras, let pong = extras.pendingPong {
            extras.pendingPong = nil
            _ = unsafe pong.withUnsafeBytes { unsafe queueControl(.pong, $0) }
        }
        if flags.contains(.backlogged) {
            advanceBacklog()
            if connection.queuedByteCount > 0 { return }
        }
        catchUp()
        extras?.lifeline?.drained()
        guard flags.contains(.drainDue) else { return }
        flags.remove(.drainDue)
        guard isOpen else { return }
        do { try withHandlers { try $0.drain(self) } } catch { handlerFailed(error) }
    }
}
