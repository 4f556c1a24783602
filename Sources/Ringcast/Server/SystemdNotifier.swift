import Reactor
import SystemCalls

/// Tells systemd of a server's life.
struct SystemdNotifier: Hashable, Sendable {
    let socket: NotificationSocket
    /// How often it wants to hear that the server is alive; nil if it does not.
    let interval: Duration?

    /// Says that the server is ready, and then that it is alive, until the task is cancelled.
    func reportLife(of core: SocketCore) async {
        await hearAllLoops(of: core)
        // Its queue may be full of what others say.
        while !Task.isCancelled, !core.hasBeenStopped, say("READY=1", core) == .wouldBlock {
            try? await Task.sleep(for: .milliseconds(100))
        }
        guard let interval else { return }
        while !Task.isCancelled {
            // A loop that hangs keeps this waiting: then nothing is said, and the process is restarted.
            await hearAllLoops(of: core)
            say("WATCHDOG=1", core)
            try? await Task.sleep(for: interval)
        }
    }

    /// Any thread.
    func reportStop(of core: SocketCore) { say("STOPPING=1", core) }

    /// Returns once every loop has answered in a turn of its own, or has ended.
    private func hearAllLoops(of core: SocketCore) async {
        for loop in core.counters.indices { await core.ask(loop) { _ in } }
    }

    @discardableResult
    private func say(_ state: String, _ core: SocketCore) -> SystemError? {
        let error = socket.send(state)
        if let error, error != .wouldBlock { core.log(.warning, "systemd could not be told \(state): \(error)") }
        return error
    }
}
