/// The tasks that `WebSocket.task` has started for one socket and that are not done: they are cancelled with it. Used
/// on the socket's loop only.
final class SocketTasks {
    private var running: [UInt64: Task<Void, Never>] = [:]
    private var lastNumber: UInt64 = 0

    /// A number for a task that is about to be made.
    func makeNumber() -> UInt64 {
        lastNumber += 1
        return lastNumber
    }

    func add(_ task: Task<Void, Never>, _ number: UInt64) { running[number] = task }

    func remove(_ number: UInt64) { running[number] = nil }

    func cancelAll() {
        // A cancellation handler may ask for the socket, but not change the list: tasks end on the loop, later.
        for task in running.values { task.cancel() }
        running = [:]
    }
}

extension Session {
    /// The socket's tasks; nil once it is closed, since what the close handler starts is not cancelled.
    var tasks: SocketTasks? {
        guard phase < .closed else { return nil }
        let extras = makeExtras()
        if let tasks = extras.tasks { return tasks }
        let tasks = SocketTasks()
        extras.tasks = tasks
        return tasks
    }
}
