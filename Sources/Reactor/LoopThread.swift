internal import CSystemCalls
internal import Synchronization
internal import SystemCalls

/// The thread of one loop, from its start to its end.
final class LoopThread: Sendable {
    private let executor: LoopExecutor
    private let startSignal = Semaphore()
    private let setUpSignal = Semaphore()
    private let endSignal = Semaphore()
    private let outcome = Mutex<Result<DriverAddress, ReactorError>?>(nil)
    private let end = Mutex(End())
    private let isAbandoned = Atomic<Bool>(false)

    private struct End {
        var hasEnded = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private init(executor: LoopExecutor) { self.executor = executor }

    /// Makes every loop on its own thread and tells all of them each other's addresses. When one fails, all have ended
    /// by the time this throws, and the listeners are still the caller's.
    static func makeAll(
        plan: LoopPlan, group: GroupState, executors: [LoopExecutor], log: @escaping LogSink,
        listeners: [ListenerSocket], tls: [TLSServer?],
        makeDriver: @escaping @Sendable () throws(ReactorError) -> any Driver,
        makeHandler: @escaping @Sendable (EventLoop) -> any ConnectionHandler
    ) throws(ReactorError) -> [LoopThread] {
        let threads = executors.map(LoopThread.init)
        for (index, thread) in threads.enumerated() {
            let shares = zip(listeners, tls).map { $0.share(of: index, tls: $1) }
            let processor = plan.processors?[index]
            thread.spawn {
                thread.pin(to: processor, index: index, log: log)
                do throws(ReactorError) {
                    let driver = try makeDriver()
                    let coalescing = plan.coalescingMicroseconds
                    thread.run(driver, index: index, group: group, log: log, coalescing, shares, makeHandler)
                } catch {
                    thread.settle(.failure(error))
                }
            }
        }
        let outcomes = threads.map { $0.setUp() }
        do {
            group.setAddresses(try outcomes.map { outcome throws(ReactorError) in try outcome.get() })
        } catch {
            threads.forEach { $0.abandon() }
            threads.forEach { $0.join() }
            throw error
        }
        return threads
    }

    private func run(
        _ driver: any Driver, index: Int, group: GroupState, log: @escaping LogSink, _ coalescing: UInt32?,
        _ listeners: [LoopListener], _ makeHandler: (EventLoop) -> any ConnectionHandler
    ) {
        let loop = EventLoop(index: index, driver: driver, group: group, executor: executor, log: log)
        loop.coalesce(microseconds: coalescing)
        loop.install(makeHandler(loop))
        settle(.success(driver.address))
        startSignal.wait()
        guard !isAbandoned.load(ordering: .acquiring) else { return loop.finish() }
        unsafe ringcast_set_current_loop(Unmanaged.passUnretained(loop).toOpaque())
        loop.listen(on: listeners)
        var heirs = HeirWatch()
        while !loop.hasEnded {
            loop.tick()
            heirs.look(now: loop.now)
        }
        loop.finish()
        ringcast_set_current_loop(nil)
    }

    private func pin(to processor: Int?, index: Int, log: LogSink) {
        unsafe ringcast_name_thread("ringcast-\(index)")
        guard let processor else { return }
        if let error = PinnedThreads.pin(to: processor) {
            log(.warning, "loop \(index) could not be pinned to processor \(processor): \(error)")
        }
    }

    private func settle(_ result: Result<DriverAddress, ReactorError>) {
        outcome.withLock { $0 = result }
        setUpSignal.signal()
    }

    private func setUp() -> Result<DriverAddress, ReactorError> {
        setUpSignal.wait()
        return outcome.withLock { $0 }!
    }

    func start() { startSignal.signal() }

    /// Instead of `start`: the loop ends without having run.
    func abandon() {
        isAbandoned.store(true, ordering: .releasing)
        startSignal.signal()
    }

    func join() {
        endSignal.wait()
        endSignal.signal()  // for whoever else waits
    }

    func ended() async {
        await withCheckedContinuation { continuation in
            let isOver = end.withLock { end in
                if !end.hasEnded { end.waiters.append(continuation) }
                return end.hasEnded
            }
            if isOver { continuation.resume() }
        }
    }

    private func reportEnd() {
        let waiters = end.withLock { end in
            end.hasEnded = true
            return end.waiters
        }
        waiters.forEach { $0.resume() }
        endSignal.signal()
    }

    private func spawn(_ body: @escaping @Sendable () -> Void) {
        let error = SystemThread.start { [self] in
            body()
            PinnedThreads.unpin()
            reportEnd()
        }
        guard let error else { return }
        settle(.failure(.noThread(error)))
        reportEnd()
    }
}

/// Gives their processors back to threads that a bound loop's thread has started, such as a handler's and those of
/// Swift's executor. Nobody tells of them, so it looks once a second, while the loop has something to do anyway.
private struct HeirWatch {
    private static let interval: UInt64 = 1_000
    private let isBound = PinnedThreads.allowedBefore != nil
    private var nextLook: UInt64 = 0

    mutating func look(now: UInt64) {
        guard isBound, now >= nextLook else { return }
        nextLook = now + Self.interval
        PinnedThreads.freeHeirs()
    }
}
