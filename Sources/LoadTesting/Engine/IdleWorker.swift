import Ringcast

/// Opens connections, and leaves them alone.
final class IdleWorker: Worker, @unchecked Sendable {
    private var handlers: WebSocketHandlers<Void>?

    override init(index: Int, setup: LoadSetup, numbers: [Int]) {
        super.init(index: index, setup: setup, numbers: numbers)
        handlers = WebSocketHandlers(
            options: setup.socketOptions,
            open: { [self] _ in connectionOpened() },
            close: { [self] _, code, reason in connectionClosed(code, reason) })
    }

    override func releaseHandlers() { handlers = nil }

    override func connect(position: Int) {
        guard let handlers else { return }
        let request = setup.request(plan.url, number: numbers[position])
        setup.group.connect(request, handlers: handlers, with: (), on: index) { [self] in connectionFailed($0) }
    }

    override func begin() { phase = .running }
}
