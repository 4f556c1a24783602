import Synchronization

/// The body of a request on its way from its connection's loop to the task that reads it.
///
/// The loop puts in what comes as long as there is room, the reader takes what is there. A reader that finds nothing
/// waits; a loop that finds no room reads no more from the connection, until the reader asks it to. Each body has one
/// pipe and one reader at a time.
final class BodyPipe: Sendable {
    typealias Piece = Result<[UInt8]?, RequestBodyError>

    /// The room of a pipe whose reader has not said how much it wants.
    fileprivate static let defaultRoom = 64 << 10

    fileprivate struct State {
        /// The most bytes that wait.
        var capacity = BodyPipe.defaultRoom
        /// What has come; the reader has had `takenCount` bytes of it.
        var bytes: [UInt8] = []
        var takenCount = 0
        /// Who waits for the next piece. There are no bytes then.
        var reader: CheckedContinuation<Piece, Never>?
        /// How the body has ended; nil while more may come.
        var ending: Result<Void, RequestBodyError>?
        /// Whether the loop reads from the connection.
        var isFilled = false
        /// Tells the loop that the reader waits, or that there is room again; nil once the body has ended.
        var ask: (@Sendable () -> Void)?

        var room: Int { max(0, capacity - (bytes.count - takenCount)) }
    }

    private let state: Mutex<State>

    /// The pipe of a body that is to come.
    /// - Parameter ask: tells the loop that the reader waits, or that there is room again. Called from any thread.
    init(ask: @escaping @Sendable () -> Void) { state = Mutex(State(ask: ask)) }

    /// The pipe of a body that is there.
    init(whole bytes: [UInt8]) { state = Mutex(State(bytes: bytes, ending: .success(()))) }

    // MARK: the loop's side

    /// How many more bytes may be put in.
    var room: Int { state.withLock { $0.room } }

    /// Whether the reader waits for bytes.
    var isAwaited: Bool { state.withLock { $0.reader != nil } }

    /// Puts in the next bytes, for which there has to be room.
    /// - Returns: whether there is room for more. If not the loop is asked again, once there is.
    func put(_ bytes: [UInt8]) -> Bool {
        let (reader, hasRoom) = state.withLock { state in
            if state.reader != nil, !bytes.isEmpty { return (state.reader.take(), true) }
            if state.bytes.isEmpty { state.bytes = bytes } else { state.bytes += bytes }
            state.isFilled = state.room > 0
            return (nil, state.isFilled)
        }
        reader?.resume(returning: .success(bytes))
        return hasRoom
    }

    /// Ends the body: it is complete behind what was put in.
    func finish() { end(.success(())) }

    /// Ends the body before it is complete. What waits is not read any more.
    func fail(_ error: RequestBodyError) { end(.failure(error)) }

    private func end(_ ending: Result<Void, RequestBodyError>) {
        let (reader, ask) = state.withLock { state in
            guard state.ending == nil else { return (CheckedContinuation<Piece, Never>?.none, state.ask) }
            state.ending = ending
            if case .failure = ending { (state.bytes, state.takenCount) = ([], 0) }
            return (state.reader.take(), state.ask.take())
        }
        reader?.resume(returning: ending.map { nil })
        // What it holds may end here: without the lock.
        withExtendedLifetime(ask) {}
    }

    // MARK: the reader's side

    /// Lets at most so many bytes wait, and gives no longer pieces.
    func limit(to byteCount: Int) { state.withLock { $0.capacity = max(1, byteCount) } }

    /// The next piece, as soon as there is one; nil behind the last.
    func next(isolation: isolated (any Actor)?) async throws(RequestBodyError) -> [UInt8]? {
        let piece = await withTaskCancellationHandler {
            await withCheckedContinuation { take(for: $0) }
        } onCancel: {
            state.withLock { $0.reader.take() }?.resume(returning: .failure(.cancelled))
        }
        return try piece.get()
    }

    private func take(for reader: CheckedContinuation<Piece, Never>) {
        let (piece, ask) = state.withLock { state in
            let piece = state.take()
            // Who cancels takes the lock behind the flag: either it finds the reader, or the flag is seen here.
            if piece == nil { state.reader = reader }
            let mustAsk = state.ending == nil && (piece == nil || !state.isFilled)
            if mustAsk { state.isFilled = true }
            return (piece, mustAsk ? state.ask : nil)
        }
        if let piece { reader.resume(returning: piece) }
        ask?()
    }
}

/// The pipe of a request that is lent.
///
/// Safe: it retains nothing, and lives as long as the request that has it. Whoever makes a request keeps its pipe, and
/// a copy of the request does.
@safe struct LentPipe {
    private let unretained: Unmanaged<BodyPipe>

    init(_ pipe: BodyPipe) { unsafe unretained = .passUnretained(pipe) }

    var pipe: BodyPipe { unsafe unretained.takeUnretainedValue() }
}

extension BodyPipe.State {
    /// What the reader gets at once; nil if it has to wait.
    fileprivate mutating func take() -> BodyPipe.Piece? {
        if case .failure(let error) = ending { return .failure(error) }
        if Task.isCancelled { return .failure(.cancelled) }
        if reader != nil { return .failure(.beingRead) }
        if takenCount < bytes.count { return .success(takePiece()) }
        return ending == nil ? nil : .success(nil)
    }

    private mutating func takePiece() -> [UInt8] {
        let end = min(takenCount + capacity, bytes.count)
        defer {
            takenCount = end
            if end == bytes.count { (bytes, takenCount) = ([], 0) }
        }
        return takenCount == 0 && end == bytes.count ? bytes : Array(bytes[takenCount..<end])
    }
}
