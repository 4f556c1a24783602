import Synchronization

/// A task that waits for a value.
struct Waiter<Value: Sendable>: Sendable {
    let continuation: CheckedContinuation<Value, Never>

    func resume(_ value: sending Value) { continuation.resume(returning: value) }
}

/// Tasks that wait for one thing, in order; each has a number by which it can be taken out when it is cancelled.
struct Waiters<Value: Sendable>: Sendable {
    private var waiting: [(number: UInt64, waiter: Waiter<Value>)] = []
    private var nextNumber: UInt64 = 0
    /// Numbers that were cancelled before their task waited.
    private var cancelled: Set<UInt64> = []

    var isEmpty: Bool { waiting.isEmpty }
    var count: Int { waiting.count }

    mutating func makeNumber() -> UInt64 {
        defer { nextNumber += 1 }
        return nextNumber
    }

    /// Makes a task wait, unless its number has been cancelled; tells whether it waits.
    mutating func append(_ number: UInt64, _ waiter: Waiter<Value>) -> Bool {
        guard cancelled.remove(number) == nil else { return false }
        waiting.append((number, waiter))
        return true
    }

    /// Takes out the waiter with that number; nil if it does not wait yet, or not any more.
    mutating func cancel(_ number: UInt64) -> Waiter<Value>? {
        guard let index = waiting.firstIndex(where: { $0.number == number }) else {
            cancelled.insert(number)
            return nil
        }
        return waiting.remove(at: index).waiter
    }

    /// Forgets a number whose task waits no more, so that a late cancellation leaves nothing behind.
    mutating func forget(_ number: UInt64) { cancelled.remove(number) }

    mutating func popFirst() -> Waiter<Value>? { waiting.isEmpty ? nil : waiting.removeFirst().waiter }

    mutating func takeAll() -> [Waiter<Value>] {
        defer { waiting = [] }
        return waiting.map(\.waiter)
    }
}

extension Mutex where Value == ClientChannel.State {
    /// Waits until somebody resumes this task, or until it is cancelled, and returns what it was resumed with.
    /// - Parameters:
    ///   - unless: called under the lock: gives the answer where there is nothing to wait for.
    ///   - onCancel: gives the answer of a task that is cancelled.
    func wait<Answer: Sendable>(
        in waiters: any WritableKeyPath<ClientChannel.State, Waiters<Answer>> & Sendable,
        unless ready: @Sendable (inout ClientChannel.State) -> Answer?,
        onCancel: @escaping @Sendable () -> Answer
    ) async -> Answer {
        let number = withLock { $0[keyPath: waiters].makeNumber() }
        let answer = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let step = withLock { state -> WaitStep<Answer> in
                    if let answer = ready(&state) { return .ready(answer) }
                    return state[keyPath: waiters].append(number, Waiter(continuation: continuation))
                        ? .wait : .cancelled
                }
                switch step {
                case .wait: break
                case .cancelled: continuation.resume(returning: onCancel())
                case .ready(let answer): continuation.resume(returning: answer)
                }
            }
        } onCancel: {
            withLock { $0[keyPath: waiters].cancel(number) }?.resume(onCancel())
        }
        withLock { $0[keyPath: waiters].forget(number) }
        return answer
    }
}

private enum WaitStep<Answer> {
    case wait
    case cancelled
    case ready(Answer)
}
