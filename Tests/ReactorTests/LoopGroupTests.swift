import Glibc
import ReactorTesting
import Synchronization
import SystemCalls
import Testing

@testable import Reactor

/// Real loops, real sockets, real threads.
@Suite(.serialized, .blocking) struct LoopGroupTests {
    private func group(
        loops: Int = 3, _ makeHandler: @escaping @Sendable (EventLoop) -> any ConnectionHandler = { _ in Echo() }
    ) throws -> LoopGroup {
        try LoopGroup(
            configuration: LoopGroupConfiguration(
                loops: .count(loops), pinsThreads: false, listeners: [.init(hostname: "127.0.0.1", port: 0)],
                placement: .balanced), makeHandler: makeHandler)
    }

    private func client(_ group: LoopGroup, receiveBuffer: Int? = nil) -> TCPClient {
        TCPClient(port: group.addresses[0].port, receiveBuffer: receiveBuffer)
    }

    private func end(_ group: LoopGroup) {
        group.stop()
        group.wait()
    }

    // MARK: bytes

    @Test func `what is posted when every loop has ended is given back`() throws {
        let discarded = Mutex<[UInt64]>([])
        let group = try LoopGroup(
            configuration: LoopGroupConfiguration(loops: .count(2), pinsThreads: false),
            discard: { message in discarded.withLock { $0.append(message.number) } }, makeHandler: { _ in Echo() })
        group.start()
        end(group)
        let first = unsafe group.post(foreign: ServiceMessage(kind: 1, number: 7), to: 0)
        let second = unsafe group.post(foreign: ServiceMessage(kind: 1, number: 8), to: 1)
        #expect(first && second)
        #expect(discarded.withLock { $0 } == [7, 8])
    }

    @Test func `slow readers get their megabyte back`() throws {
        let group = try group()
        group.start()
        let clients = (0..<4).map { _ in client(group, receiveBuffer: 4096) }
        let bytes = noise(1 << 20)
        for client in clients { #expect(client.send(bytes)) }
        for client in clients {
            client.end()
            let received = client.receiveToEnd()
            #expect(received.map { $0 == bytes } == true, "\(received?.count ?? -1) bytes have come")
        }
        end(group)
    }

    @Test func `a reader who takes three seconds for what was queued before the close gets all of it`() throws {
        let group = try group(loops: 1)
        group.start()
        let client = client(group, receiveBuffer: 4096)
        let bytes = noise(8 << 20)
        client.send(bytes)
        client.end()
        var received: [UInt8] = []
        for _ in 0..<30 {
            received += client.receive(exactly: 32_768)
            usleep(100_000)
        }
        received += client.receiveToEnd() ?? []
        let isComplete = received == bytes
        #expect(isComplete, "\(received.count) bytes have come")
        end(group)
    }

    @Test func `five hundred connections on three loops are all answered`() throws {
        let group = try group()
        group.start()
        let clients = (0..<500).map { _ in client(group) }
        for (number, client) in clients.enumerated() { client.send(Array("number \(number)".utf8)) }
        for (number, client) in clients.enumerated() {
            let expected = Array("number \(number)".utf8)
            #expect(client.receive(exactly: expected.count) == expected)
        }
        let open = (0..<3).map { group.statistics(of: $0).connections.value }
        #expect(open.reduce(0, +) == 500)
        #expect(open.min()! > 100, "\(open)")
        for client in clients { client.end() }
        for client in clients { #expect(client.receiveToEnd() == []) }
        end(group)
        #expect((0..<3).allSatisfy { group.statistics(of: $0).connections.value == 0 })
    }

    @Test func `answer and FIN arrive at once on a loop that has nothing else to do`() throws {
        let group = try group(loops: 1) { _ in Greeter() }
        group.start()
        let start = ContinuousClock.now
        for _ in 0..<20 {
            let client = client(group)
            #expect(client.receiveToEnd() == Array("hello".utf8))
        }
        #expect(ContinuousClock.now - start < .seconds(20), "not two seconds each")
        end(group)
    }

    @Test func `the peer's address is known`() throws {
        let group = try group(loops: 1) { _ in AddressTeller() }
        group.start()
        let client = client(group)
        let text = String(decoding: client.receiveToEnd() ?? [], as: UTF8.self)
        #expect(text.hasPrefix("127.0.0.1:"))
        client.end()
        end(group)
    }

    // MARK: between threads

    @Test func `messages go round the loops`() async throws {
        let (stream, continuation) = AsyncStream<UInt64>.makeStream()
        let group = try group { loop in Forwarder(loop: loop, loopCount: 3, last: 30_000) { continuation.yield($0) } }
        group.start()
        #expect(group.post(foreign: numbered(0), to: 0))
        #expect(await stream.first { _ in true } == 30_000)
        await ended(group)
    }

    @Test func `a flood between two loops arrives complete and in order`() async throws {
        let (stream, continuation) = AsyncStream<UInt64>.makeStream()
        let group = try group(loops: 2) { loop in Counting(until: 100_000) { continuation.yield($0) } }
        group.start()
        group.executor(of: 0).execute {
            for number: UInt64 in 0..<100_000 { _ = LoopGroup.currentLoop?.post(numbered(number), to: 1) }
        }
        #expect(await stream.first { _ in true } == 100_000)
        await ended(group)
    }

    @Test func `what threads post arrives, in order for each`() async throws {
        let (stream, continuation) = AsyncStream<UInt64>.makeStream()
        let group = try group(loops: 2) { loop in PerSender(until: 4 * 2_000) { continuation.yield($0) } }
        group.start()
        await withDiscardingTaskGroup { tasks in
            for sender: UInt64 in 0..<4 {
                tasks.addTask {
                    for number: UInt64 in 0..<2_000 {
                        while !group.post(foreign: numbered(sender << 32 | number), to: 1) { await Task.yield() }
                    }
                }
            }
        }
        #expect(await stream.first { _ in true } == 0, "none out of order")
        await ended(group)
    }

    @Test func `a task with the loop as its executor comes back to it after every await`() async throws {
        let group = try group()
        group.start()
        let executor = group.executor(of: 1)
        let isAlwaysCurrent = await Task(executorPreference: executor) {
            var isCurrent = executor.isCurrent
            for _ in 0..<20 {
                await Task.yield()
                isCurrent = isCurrent && executor.isCurrent
            }
            try? await Task.sleep(for: .milliseconds(5))
            return isCurrent && executor.isCurrent && LoopGroup.currentLoop?.index == 1
        }.value
        #expect(isAlwaysCurrent)
        await ended(group)
    }

    @Test func `jobs that come after a loop has ended still run`() async throws {
        let group = try group()
        group.start()
        await ended(group)
        let executor = group.executor(of: 0)
        await withCheckedContinuation { continuation in
            executor.execute { continuation.resume() }
        }
        let value = await Task(executorPreference: executor) {
            await Task.yield()
            return 7
        }.value
        #expect(value == 7)
    }

    @Test(arguments: 0..<20)
    func `jobs that race with the end of a loop all run`(round: Int) async throws {
        let group = try group(loops: 1)
        group.start()
        let executor = group.executor(of: 0)
        let count = await withTaskGroup(of: Int.self) { tasks in
            for number in 0..<50 {
                if number == round * 2 { group.stop() }
                tasks.addTask(executorPreference: executor) {
                    await Task.yield()
                    return 1
                }
            }
            return await tasks.reduce(0, +)
        }
        #expect(count == 50)
        await group.ended()
    }

    private func ended(_ group: LoopGroup) async {
        group.stop()
        await group.ended()
    }

    // MARK: start and end

    @Test func `a taken port is said in one sentence`() throws {
        let group = try group()
        let port = group.addresses[0].port
        let taken = "port \(port) is taken: stop the other server, or choose another port"
        #expect(throws: ReactorError(taken, .addressInUse)) {
            try LoopGroup(
                configuration: LoopGroupConfiguration(
                    loops: .count(1), listeners: [.init(hostname: "127.0.0.1", port: port)])
            ) { _ in Echo() }
        }
        end(group)
        let second = try LoopGroup(
            configuration: LoopGroupConfiguration(
                loops: .count(2), pinsThreads: false, listeners: [.init(hostname: "127.0.0.1", port: port)])
        ) { _ in Echo() }
        #expect(second.addresses == [ListenerAddress(hostname: "127.0.0.1", port: port)], "it is free again")
        end(second)
    }

    @Test func `an address of another machine is said in one sentence`() {
        #expect(throws: ReactorError("192.0.2.1 is not an address of this machine", .cannotListen)) {
            try LoopGroup(
                configuration: LoopGroupConfiguration(
                    loops: .count(1), listeners: [.init(hostname: "192.0.2.1", port: 0)])
            ) {
                _ in
                Echo()
            }
        }
    }

    @Test func `a group without connections ends when it is stopped`() throws {
        let group = try group()
        group.start()
        end(group)
    }

    @Test func `a group that was never started can be stopped`() throws {
        end(try group())
    }

    @Test func `a group that nobody stopped ends with its last reference`() async throws {
        var group: LoopGroup? = try group()
        group?.start()
        let executor = group!.executor(of: 0)
        group = nil
        // Its loops end by themselves; a job is run by whoever is left.
        await withCheckedContinuation { continuation in executor.execute { continuation.resume() } }
    }

    @Test func `stopping with connections open ends after the handler has closed them`() throws {
        let group = try group { _ in Parting() }
        group.start()
        let clients = (0..<30).map { _ in client(group) }
        for client in clients {
            client.send([0x01])
            #expect(client.receive(exactly: 1) == [0x01])
        }
        group.stop()
        for client in clients {
            #expect(client.receiveToEnd() == Array("bye".utf8))
            client.end()
        }
        group.wait()
        #expect((0..<3).allSatisfy { group.statistics(of: $0).connections.value == 0 })
    }

    @Test func `when one loop cannot be made, all end and the error is told`() throws {
        let plan = try LoopPlan(LoopGroupConfiguration(loops: .count(4), pinsThreads: false))
        let group = GroupState(loopCount: 4, placement: .kernel)
        let driver = try SelectedDriver(.automatic)
        let made = Atomic<Int>(0)
        let listener = try ListenerSocket(ListenerConfiguration(hostname: "127.0.0.1", port: 0), loopCount: 4)
        #expect(throws: ReactorError.noRing(.outOfMemory)) {
            try LoopThread.makeAll(
                plan: plan, group: group, executors: (0..<4).map { LoopExecutor(index: $0, group: group) },
                log: { _, _ in }, listeners: [listener], tls: [nil],
                makeDriver: { () throws(ReactorError) in
                    if made.wrappingAdd(1, ordering: .relaxed).newValue == 3 { throw .noRing(.outOfMemory) }
                    return try driver.make()
                }, makeHandler: { _ in Echo() })
        }
        for descriptor in listener.descriptors { #expect(close(descriptor) == 0, "they were left to the caller") }
    }

    @Test func `loops end together, and a connection that was handed to one that has ended is closed`() {
        let clock = VirtualClock()
        let group = GroupState(
            loopCount: 2, placement: .balanced, clock: { _ in clock.milliseconds }, meter: .off)
        let loops = (0..<2).map { SimulatedLoop(index: $0, group: group, clock: clock) { _ in Echo() } }
        loops[1].loop.stop()
        loops[1].turn(10)
        #expect(!loops[1].loop.hasEnded, "the other one may still hand over connections")
        loops[0].loop.stop()
        for _ in 0..<10 { loops.forEach { $0.turn() } }
        #expect(loops.allSatisfy { $0.loop.hasEnded })
        loops[1].loop.finish()
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        #expect(unsafe socketpair(AF_UNIX, type, 0, &ends) == 0)
        defer { close(ends[0]) }
        #expect(group.mailboxes[1].push(.adopt(descriptor: ends[1], listener: 0), from: 0))
        loops[0].loop.finish()
        var reading = pollfd(fd: ends[0], events: 0, revents: 0)
        #expect(unsafe poll(&reading, 1, 0) == 1 && reading.revents & Int16(POLLHUP) != 0)
    }

    @Test func `what waits on the listeners when a group is stopped is accepted and told`() throws {
        let group = try group { _ in Parting() }
        let clients = (0..<30).map { _ in client(group) }
        group.stop()
        for client in clients {
            #expect(client.receiveToEnd() == Array("bye".utf8))
            client.end()
        }
        group.wait()
    }

    @Test func `a group that stops accepting frees its port and serves what it has`() throws {
        let group = try group()
        group.start()
        let open = client(group)
        open.send([1])
        #expect(open.receive(exactly: 1) == [1])
        group.stopAccepting()
        let port = group.addresses[0].port
        var isTaken = true
        for _ in 0..<6_000 where isTaken {
            isTaken = (try? ListenerSocket(.init(hostname: "127.0.0.1", port: port), loopCount: 1).close()) == nil
            usleep(10_000)
        }
        #expect(!isTaken, "the port is free")
        open.send([2])
        #expect(open.receive(exactly: 1) == [2], "what is open goes on")
        open.end()
        end(group)
    }

    @Test func `hundreds of groups leave no descriptor behind`() async {
        await #expect(processExitsWith: .success) {
            func run() throws {
                let group = try LoopGroup(
                    configuration: LoopGroupConfiguration(
                        loops: .count(2), pinsThreads: false, listeners: [.init(hostname: "127.0.0.1", port: 0)],
                        placement: .balanced)
                ) { loop in LoopKeeper(loop) }
                group.start()
                let clients = (0..<4).map { _ in TCPClient(port: group.addresses[0].port) }
                for client in clients {
                    client.send([0x01])
                    precondition(client.receive(exactly: 1) == [0x01])
                    client.end()
                }
                group.stop()
                group.wait()
            }
            try run()
            let before = openDescriptorCount()
            for _ in 0..<200 { try run() }
            // The last threads are still letting go of theirs.
            for _ in 0..<6_000 where openDescriptorCount() > before { usleep(10_000) }
            precondition(openDescriptorCount() <= before)
        }
    }

    private func noise(_ count: Int) -> [UInt8] {
        var random = SeededGenerator(seed: 1)
        return (0..<count / 8).flatMap { _ in unsafe withUnsafeBytes(of: random.next()) { unsafe Array($0) } }
    }
}
