import Reactor
public import ServiceLifecycle
public import WebSocketProtocol

extension Server: Service {
    /// Serves until `stop()`, until the task is cancelled, or until the service group that runs it shuts down. A server
    /// runs once.
    public func run() async throws(ServerError) {
        group.start()
        await withTaskCancellationOrGracefulShutdownHandler {
            await group.ended()
        } onCancelOrGracefulShutdown: {
            self.stop()
        }
        core.group = nil
    }

    /// Closes the listeners; everything that is open goes on. Connections that wait to be accepted are accepted first.
    ///
    /// For a hand-over: once another process serves the same port (`reusePort`), this one stops accepting, lets its
    /// clients finish, and stops. Returns at once. Any thread.
    public func stopAccepting() { group.stopAccepting() }

    /// Stops accepting, answers upgrades with 503 and closes the sockets, spread over `StopTiming.window`; what is left
    /// after `StopTiming.deadline` is cut. Returns at once; `run()` returns when all is done.
    /// - Parameter code: what sockets are closed with: 1001, or 1012 (`serviceRestart`).
    public func stop(_ code: CloseCode = .goingAway, reason: String = "") {
        precondition(code.isSendable, "\(code) cannot stand in a Close frame")
        core.stopPlan = StopPlan(code: code, reason: reason, timing: core.configuration.stop)
        core.noteStop()
        group.stop()
    }
}
