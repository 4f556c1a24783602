import Reactor
import WebSocketProtocol

/// Timeouts cost nothing per message: a session remembers when bytes last came, and its one deadline, when it fires,
/// looks whether it was right to, or sets itself again.
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

    /// The connection's deadline has come.
    func deadlineReached(now: UInt64) {
        guard !flags.contains(.terminated) else { return }
        if finishEnding() { return }
        if flags.contains(.closing) { return closeDeadlineReached() }
        if flags.contains(.stopping) { return closeForStop() }
        endThrottle(at: now)
        if isHeld { rest(at: now) }
        let silence = unsafe now - state.pointee.lastInbound
        let (idle, pingAfter) = withKind { ($0.idleTimeout, $0.pingAfter) }
        if let end = extras?.lifetimeEnd, now >= end { return close(.goingAway, reason: "lifetime over", isOwn: true) }
        if idle > 0, silence >= idle { return fail(.goingAway, reason: "idle timeout") }
        if let pingAfter, silence >= pingAfter, !flags.contains(.pinged) { sendLivenessPing(now: now) }
        connection.setDeadline(nextDeadline())
    }

    /// When something is next due: the ping, the end of the silence, the end of the lifetime, or that of a throttle.
    func nextDeadline() -> UInt64? {
        let last = unsafe state.pointee.lastInbound
        let pinged = flags.contains(.pinged)
        let silence: UInt64? = withKind {
            guard $0.idleTimeout > 0 else { return nil }
            return last + (pinged ? $0.idleTimeout : $0.pingAfter ?? $0.idleTimeout)
        }
        guard let extras else { return silence }
        return [silence, extras.lifetimeEnd, extras.throttledUntil].lazy.compactMap(\.self).min()
    }

    /// The peer's Close has not come in time: the connection is cut. A peer that still takes what is queued, and not
    /// too slowly, has its time, since what was sent before the close goes out first; a server that stops ends that at
    /// its own deadline.
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

    private func sendLivenessPing(now: UInt64) {
        flags.insert(.pinged)
        makeExtras().pingSent = now
        unsafe queueControl(.ping, UnsafeRawBufferPointer(start: nil, count: 0))
    }

    func notePong() {
        guard let extras, let sent = extras.pingSent else { return }
        extras.roundTrip = .milliseconds(loop.now - sent)
        extras.pingSent = nil
    }
}

extension Session {
    /// More control frames than this in a window of 10 seconds are a flood.
    static let controlFramesPerWindow = 1_000

    /// Counts a ping or a pong. False: it was one too many, and the session is gone.
    func admitControlFrame(now: UInt64) -> Bool {
        let second = UInt32(truncatingIfNeeded: now / 1_000)
        if unsafe second &- state.pointee.controlWindow >= 10 {
            unsafe state.pointee.controlWindow = second
            unsafe state.pointee.controlFrames = 0
        }
        unsafe state.pointee.controlFrames += 1
        guard unsafe state.pointee.controlFrames > Self.controlFramesPerWindow else { return true }
        fail(.policyViolation, reason: "too many control frames")
        return false
    }

    /// Answers a ping with its own payload (RFC 6455 §5.5.3). While the socket is blocked only the newest pong is kept,
    /// as the RFC allows, so that pings cannot grow the queue.
    func answerPing(_ payload: RawSpan) {
        // Safe: both copy the bytes before the closure returns.
        unsafe payload.withUnsafeBytes { bytes in
            if connection.isBlocked {
                makeExtras().pendingPong = unsafe [UInt8](bytes)
                connection.notifyWhenDrained()
            } else {
                unsafe queueControl(.pong, bytes)
            }
        }
    }

    /// Everything queued has been taken by the kernel: the pong that waited goes out, and `drain` is called if it is
    /// owed.
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
