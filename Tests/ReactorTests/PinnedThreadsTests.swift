import CSystemCalls
import Glibc
import Synchronization
import SystemCalls
import Testing

@testable import Reactor

/// What a loop's thread starts does not share its processor.
@Suite(.enabled(if: Processors.allowed.count > 1)) struct PinnedThreadsTests {
    private let all = Processors.allowed
    private var last: Int { all.last! }

    /// What a thread has to say to another one.
    private final class Box<Value: Sendable>: Sendable {
        private let value = Mutex<Value?>(nil)
        private let isThere = Semaphore()

        func put(_ value: Value) {
            self.value.withLock { $0 = value }
            isThere.signal()
        }

        func take() -> Value {
            isThere.wait()
            return value.withLock { $0! }
        }
    }

    private func onPinnedThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) -> Value {
        let (box, last) = (Box<Value>(), last)
        let failure = SystemThread.start {
            #expect(PinnedThreads.pin(to: last) == nil)
            let value = body()
            PinnedThreads.unpin()
            box.put(value)
        }
        #expect(failure == nil)
        return box.take()
    }

    @Test func `a bound thread has one processor, knows of the others, and has them again afterwards`() {
        let last = last
        let (bound, known, free) = onPinnedThread {
            let (bound, known) = (Processors.allowed(of: 0), Processors.allowed)
            PinnedThreads.unpin()
            return (bound, known, Processors.allowed(of: 0))
        }
        #expect(bound == [last] && known == all && free == all)
    }

    @Test func `a thread that a bound one starts may run anywhere`() {
        let processors = onPinnedThread {
            let box = Box<[Int]>()
            #expect(SystemThread.start { box.put(Processors.allowed(of: 0)) } == nil)
            return box.take()
        }
        #expect(processors == all)
    }

    @Test func `names that a bound thread asks for are looked up anywhere`() {
        let looked = Box<[Int]>()
        let resolver = Resolver(threadLimit: 1) { _, _ in
            looked.put(Processors.allowed(of: 0))
            return .failed("no names here")
        }
        onPinnedThread { _ = resolver.resolve("example", port: 1) { _ in } }
        #expect(looked.take() == all)
    }

    /// A thread as anybody starts one: it runs where the one that starts it may.
    private final class Heir: Sendable {
        let number = Box<Int32>()
        let end = Semaphore()

        func start() {
            var thread = pthread_t()
            let result = unsafe pthread_create(
                &thread, nil,
                { heir in
                    // Safe: retained below, for this thread.
                    let heir = unsafe Unmanaged<Heir>.fromOpaque(heir!).takeRetainedValue()
                    heir.number.put(ringcast_thread_number())
                    heir.end.wait()
                    return nil
                }, unsafe Unmanaged.passRetained(self).toOpaque())
            precondition(result == 0)
            pthread_detach(thread)
        }
    }

    @Test func `a thread that a handler starts gets its processors back, and the loop keeps its own`() throws {
        let group = try LoopGroup(
            configuration: .init(loops: .count(1), pinsThreads: true), makeHandler: { _ in Echo() })
        group.start()
        let heir = Heir()
        let loop = Box<Int32>()
        group.executor(of: 0).execute {
            loop.put(ringcast_thread_number())
            heir.start()
        }
        let (loopThread, heirThread) = (loop.take(), heir.number.take())
        for _ in 0..<60_000 where Processors.allowed(of: heirThread) != all {
            group.executor(of: 0).execute {}  // the loop has something to do
            usleep(1_000)
        }
        #expect(Processors.allowed(of: heirThread) == all)
        #expect(Processors.allowed(of: loopThread).count == 1)
        heir.end.signal()
        group.stop()
        group.wait()
    }

    @Test func `a group that is made on a bound loop's thread plans with every processor`() throws {
        let configuration = LoopGroupConfiguration(loops: .perCore)
        let plan = onPinnedThread { try? LoopPlan(configuration, quota: nil) }
        #expect(plan?.loopCount == all.count)
    }
}
