import Reactor
public import WebSocketProtocol

extension Server {
    /// Serves until `stop()`, until the task is cancelled, or until the service group that runs it shuts down.
    /// - Throws: if it has been called before: a server runs once.
    public func run() async throws(ServerError) {
        guard core.noteRun() else {
            throw ServerError(
                "this server runs or has run already: a server runs once, so make another one", code: .alreadyRun)
        }
        group.start()
        core.cluster?.start(core)
        let reports = systemd.map { systemd in Task { [core] in await systemd.reportLife(of: core) } }
        await stoppingWithTask { await group.ended() }
        reports?.cancel()
        await reports?.value
        // This task may be cancelled, which is one way to stop a server: the hand-over to the engine is not.
        if let cluster = core.cluster { await Task { await cluster.stop() }.value }
        core.group = nil
    }

    /// Closes the listeners; everything that is open goes on. Connections that wait to be accepted are accepted first.
    ///
    /// For a hand-over: once another process serves the same port (`reusePort`), this one stops accepting, lets its
    /// clients finish, and stops. Returns at once. Any thread.
    public func stopAccepting() { group.stopAccepting() }

    /// Stops accepting, answers upgrades with 503 and closes the sockets, spread over a window of time; what is left at
    /// the deadline is cut. Returns at once; `run()` returns when all is done, at the latest when the deadline is over.
    ///
    /// What was sent or published before reaches every socket that keeps reading until then, in front of its Close
    /// frame; connections that waited to be accepted are accepted, and answered. Called again, it replaces window and
    /// deadline: with both zero it ends at once. Any thread.
    /// - Parameters:
    ///   - code: what sockets are closed with: 1001, or 1012 (`serviceRestart`). Any code, as for `WebSocket.close`.
    ///   - reason: cut to 123 bytes at the end of a character.
    ///   - window: the time over which the sockets are closed one after the other, so that they do not all come back at
    ///     once; by default the configuration's.
    ///   - deadline: how long after the window the rest is cut; by default the configuration's.
    public func stop(
        _ code: CloseCode = .goingAway, reason: String = "", within window: Duration? = nil, deadline: Duration? = nil
    ) {
        var timing = core.configuration.stop
        if let window { timing.window = window }
        if let deadline { timing.deadline = deadline }
        core.stopPlan = StopPlan(code: code, reason: reason, timing: timing)
        let isFirst = core.noteStop()
        if isFirst { systemd?.reportStop(of: core) }
        group.stop()
        guard !isFirst else { return }
        for loop in 0..<group.loopCount { core.run(LoopJob { $0?.stopAgain() }, on: loop) }
    }
}
