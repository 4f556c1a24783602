internal import Glibc
internal import Synchronization
internal import SystemCalls

/// Turns names into addresses, on threads of its own: `getaddrinfo` blocks for as long as it likes.
///
/// At most `threadLimit` threads, started when they are needed and gone when nothing waits. Usable from any thread.
package final class Resolver: Sendable {
    /// The process's resolver: one, since its bound is there for the machine's sake.
    package static let shared = Resolver(threadLimit: 4)

    private let threadLimit: Int
    private let queueLimit: Int
    private let look: @Sendable (String, UInt16) -> Resolution
    private let state = Mutex(State())

    private struct State {
        /// Requests by number, so that one which is cancelled can be let go at once.
        var waiting: [UInt64: ResolutionRequest] = [:]
        var lastNumber: UInt64 = 0
        /// No request that waits has a lower number.
        var firstNumber: UInt64 = 1
        var threadCount = 0
    }

    /// - Parameters:
    ///   - queueLimit: requests that may wait; more fail at once.
    ///   - look: finds the addresses of a name; blocks.
    package init(
        threadLimit: Int, queueLimit: Int = 65_536,
        look: @escaping @Sendable (String, UInt16) -> Resolution = { host, port in .ofSystem(host, port) }
    ) {
        self.threadLimit = threadLimit
        self.queueLimit = queueLimit
        self.look = look
    }

    package var threadCount: Int { state.withLock { $0.threadCount } }

    /// Looks a name up, and calls `done` on one of the resolver's threads, once, unless it is cancelled first.
    package func resolve(
        _ host: String, port: UInt16, _ done: @escaping @Sendable (Resolution) -> Void
    ) -> ResolutionRequest {
        enum Step { case wait, spawn, refuse }
        let (request, step) = state.withLock { state -> (ResolutionRequest, Step) in
            state.lastNumber += 1
            let request = ResolutionRequest(state.lastNumber, of: self, host: host, port: port, done: done)
            guard state.waiting.count < queueLimit else { return (request, .refuse) }
            state.waiting[request.number] = request
            guard state.threadCount < threadLimit else { return (request, .wait) }
            state.threadCount += 1
            return (request, .spawn)
        }
        switch step {
        case .wait: break
        case .spawn: spawnThread()
        case .refuse: request.finish(.failed("too many names are being resolved"))
        }
        return request
    }

    private func spawnThread() {
        guard SystemThread.start({ self.work() }) != nil else { return }
        // If no other thread is at work, everything that waits has to hear of it.
        let stranded = state.withLock { state -> [ResolutionRequest] in
            state.threadCount -= 1
            guard state.threadCount == 0 else { return [] }
            defer { state.waiting = [:] }
            return state.waiting.keys.sorted().compactMap { state.waiting[$0] }
        }
        stranded.forEach { $0.finish(.failed("a thread could not be started")) }
    }

    /// What each thread does, until nothing waits.
    private func work() {
        while let request = next() {
            guard !request.isCancelled else { continue }
            request.finish(look(request.host, request.port))
        }
    }

    private func next() -> ResolutionRequest? {
        state.withLock { state in
            while state.firstNumber <= state.lastNumber {
                defer { state.firstNumber += 1 }
                if let request = state.waiting.removeValue(forKey: state.firstNumber) { return request }
            }
            state.threadCount -= 1
            return nil
        }
    }

    /// Takes out a request that was cancelled, if it still waits.
    fileprivate func forget(_ request: ResolutionRequest) {
        _ = state.withLock { $0.waiting.removeValue(forKey: request.number) }
    }

    package var waitingCount: Int { state.withLock { $0.waiting.count } }
}

/// What became of a name.
package enum Resolution: Sendable {
    /// At least one address, those to prefer first (RFC 6724).
    case addresses([ConnectAddress])
    /// Why there is none, in the system's words.
    case failed(String)

    /// Asks the system. Blocks.
    package static func ofSystem(_ host: String, _ port: UInt16) -> Resolution {
        var hints = unsafe addrinfo()
        unsafe hints.ai_family = AF_UNSPEC
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = Int32(AI_NUMERICSERV) | Int32(AI_ADDRCONFIG)
        var list: UnsafeMutablePointer<addrinfo>?
        let result = unsafe getaddrinfo(host, "\(port)", &hints, &list)
        guard result == 0 else {
            return .failed(
                result == EAI_SYSTEM
                    ? unsafe String(cString: strerror(errno)) : unsafe String(cString: gai_strerror(result)))
        }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [ConnectAddress] = []
        var next = unsafe list
        // Safe: the list is the system's, whole, and freed behind the loop.
        while let entry = unsafe next {
            if let address = unsafe entry.pointee.ai_addr,
                let found = unsafe ConnectAddress(address, length: entry.pointee.ai_addrlen)
            {
                addresses.append(found)
            }
            unsafe next = entry.pointee.ai_next
        }
        return addresses.isEmpty ? .failed("it has no addresses") : .addresses(addresses)
    }
}

/// A name that is looked up, or waits for it.
package final class ResolutionRequest: Sendable {
    /// The place in the queue.
    fileprivate let number: UInt64
    private let resolver: Resolver
    let host: String
    let port: UInt16
    /// Nil once it was called, or the request cancelled.
    private let done: Mutex<(@Sendable (Resolution) -> Void)?>

    fileprivate init(
        _ number: UInt64, of resolver: Resolver, host: String, port: UInt16,
        done: @escaping @Sendable (Resolution) -> Void
    ) {
        self.number = number
        self.resolver = resolver
        self.host = host
        self.port = port
        self.done = Mutex(done)
    }

    /// Nobody wants to know any more: what waits leaves the queue, a look-up under way goes on and says nothing.
    package func cancel() {
        done.withLock { $0 = nil }
        resolver.forget(self)
    }

    var isCancelled: Bool { done.withLock { $0 == nil } }

    func finish(_ resolution: Resolution) {
        done.withLock { $0.take() }?(resolution)
    }
}
