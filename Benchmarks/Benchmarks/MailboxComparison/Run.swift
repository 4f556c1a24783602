import Glibc

/// Seconds of one run.
struct Cost {
    var wall: Double
    var cpu: Double
}

/// Producers as threads that push bursts at full speed, and the calling thread as the loop that takes them.
func run<Box: Candidate>(_: Box.Type, producers: Int, burst: Int, messages: Int) -> Cost {
    let box = Box(producers: producers)
    let bell = Bell()
    let perProducer = messages / producers / burst * burst
    let start = (now(CLOCK_MONOTONIC), now(CLOCK_PROCESS_CPUTIME_ID))
    let threads = (0..<producers).map { producer in
        startThread { produce(perProducer, burst: burst, as: producer, into: box, bell) }
    }
    consume(perProducer * producers, producers: producers, from: box, bell)
    for thread in threads { pthread_join(thread, nil) }
    return Cost(wall: now(CLOCK_MONOTONIC) - start.0, cpu: now(CLOCK_PROCESS_CPUTIME_ID) - start.1)
}

private func produce<Box: Candidate>(_ count: Int, burst: Int, as producer: Int, into box: Box, _ bell: Bell) {
    var sequence = 0
    while sequence < count {
        for _ in 0..<burst {
            while !box.push(Message(producer: producer, sequence: sequence), from: producer) {
                if box.shouldWake(from: producer) { bell.ring() }
                sched_yield()
            }
            sequence += 1
        }
        if box.shouldWake(from: producer) { bell.ring() }
    }
    while true {
        let isEmpty = box.flushOverflow(from: producer)
        if box.shouldWake(from: producer) { bell.ring() }
        if isEmpty { return }
        sched_yield()
    }
}

/// As a loop does: sixteen at a time, 4,096 a turn, and a look whether it may sleep.
private func consume<Box: Candidate>(_ count: Int, producers: Int, from box: Box, _ bell: Bell) {
    var expected = [Int](repeating: 0, count: producers)
    var left = count
    while left > 0 {
        var turn = 4_096
        while turn > 0 {
            let taken = box.drain(limit: 16) { message in
                precondition(expected[message.producer] == message.sequence, "out of order")
                expected[message.producer] += 1
            }
            left -= taken
            turn -= taken
            if taken < 16 { break }
        }
        if left > 0, box.prepareToSleep() { bell.wait() }
        box.wokeUp()
    }
}

/// What the consumer sleeps on.
final class Bell: @unchecked Sendable {
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(semaphore, 0, 0) }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func ring() { sem_post(semaphore) }
    func wait() { while sem_wait(semaphore) != 0 {} }
}

private func startThread(_ body: @escaping @Sendable () -> Void) -> pthread_t {
    final class Box { let body: () -> Void; init(_ body: @escaping () -> Void) { self.body = body } }
    var thread = pthread_t()
    let result = pthread_create(
        &thread, nil,
        { argument in
            Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue().body()
            return nil
        }, Unmanaged.passRetained(Box(body)).toOpaque())
    precondition(result == 0, "a thread could not be started")
    return thread
}

private func now(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
