import HTTPProtocol
import HTTPTypes
import Reactor

/// A body that its handler reads as it comes: the loop's side of a `BodyPipe`, which is kept until the body is complete
/// or the request answered.
struct BodyIntake {
    let number: UInt64
    let pipe: BodyPipe
    var decoder: BodyDecoder
    /// Whether the client waits for leave to send the body.
    var owesContinue: Bool
    /// Whether the connection is read.
    var isReading = false
    /// Bytes of the body that have come.
    var byteCount = 0
    /// Since when the handler has nothing to read, in the loop's milliseconds; nil while it has, or does not read.
    var awaitedSince: UInt64?
    /// How long (ms) the handler had nothing to read before that.
    var awaitedTime: UInt64 = 0

    /// How long (ms) the handler has had nothing to read in all.
    func awaitedTime(until now: UInt64) -> UInt64 { awaitedTime + (awaitedSince.map { now - $0 } ?? 0) }
}

/// Bodies that are read as they come. At any time either the client is waited for, at least a kilobyte a second over
/// all of that, or the handler, within the time of a deferred reply.
extension HTTPExchange {
    /// Calls the handler of a request whose body is to come.
    func answerAtHead(_ layout: RequestHeadLayout, head: RawSpan, limit: Int, on connection: Connection) {
        intakeCount += 1
        let number = intakeCount
        let executor = loop.eventLoop.executor
        let exchange = LoopBound(self, executor: executor)
        let pipe = BodyPipe {
            if executor.isCurrent { return exchange.use { $0.bodyIsWanted(number) } }
            executor.execute { exchange.use { $0.bodyIsWanted(number) } }
        }
        intake = BodyIntake(
            number: number, pipe: pipe, decoder: BodyDecoder(framing: layout.body, limit: limit),
            owesContinue: layout.expectsContinue)
        answer(layout, head: head, body: head.extracting(first: 0), isAccepted: true, from: pipe, on: connection)
    }

    /// The handler waits for bytes, or has made room for them.
    private func bodyIsWanted(_ number: UInt64) {
        guard var intake, intake.number == number, let connection else { return }
        if intake.owesContinue {
            intake.owesContinue = false
            sendContinue(on: connection)
        }
        if intake.awaitedSince == nil, intake.pipe.isAwaited { intake.awaitedSince = loop.now }
        if !intake.isReading {
            intake.isReading = true
            connection.resumeReceiving()
        }
        self.intake = intake
    }

    /// Takes as much of the body as there is room for, and returns how many bytes of `input` those were.
    func receiveStreamed(_ input: RawSpan, on connection: Connection) -> Int {
        guard var intake = intake.take() else { return 0 }
        let room = intake.pipe.room
        var (position, isComplete) = (0, false)
        var piece: [UInt8] = []
        piece.reserveCapacity(min(room, input.byteCount))
        repeat {
            // The framing of chunks takes no room: what it leaves is filled in another round.
            let part = input.extracting(first: min(input.byteCount, position + room - piece.count))
            while !isComplete, let event = intake.decoder.next(in: part, at: &position) {
                switch event {
                case .data(let range):
                    // Safe: copied before the closure returns.
                    unsafe part.extracting(range).withUnsafeBytes { unsafe piece.append(contentsOf: $0) }
                case .end: isComplete = true
                case .refused(let refusal):
                    self.intake = intake
                    refuseRest(refusal, on: connection)
                    return input.byteCount
                }
            }
        } while !isComplete && position < input.byteCount && piece.count < room
        let hasRoom = intake.pipe.put(piece)
        intake.byteCount += piece.count
        if !piece.isEmpty || isComplete { endWait(&intake) }
        if isComplete {
            intake.pipe.finish()
            connection.pauseReceiving()
            return position
        }
        if !hasRoom {
            intake.isReading = false
            connection.pauseReceiving()
        }
        self.intake = intake
        return position
    }

    /// A body without a length has come to its end.
    func endStreamedBody() {
        guard var intake = intake.take() else { return }
        endWait(&intake)
        intake.pipe.finish()
    }

    /// The handler has something to do: its time goes on.
    private func endWait(_ intake: inout BodyIntake) {
        guard let start = intake.awaitedSince else { return }
        let time = loop.now - start
        intake.awaitedSince = nil
        intake.awaitedTime += time
        if let deadline = phaseDeadline { phaseDeadline = deadline + time }
    }

    /// Whether it is the client that is waited for: then answers 408 if it is too slow, or arms the next look.
    func awaitsBody(on connection: Connection) -> Bool {
        guard let intake, intake.awaitedSince != nil else { return false }
        let allowance =
            loop.core.configuration.limits.bodyTimeout.milliseconds + UInt64(intake.byteCount) * 1_000 / 1_024
        if intake.awaitedTime(until: loop.now) >= allowance {
            refuseRest(HTTPRefusal(status: .requestTimeout, reason: "the request took too long"), on: connection)
        } else {
            arm(.max, on: connection)
        }
        return true
    }

    /// Answers a request the rest of whose body is not taken, instead of the handler that reads it; cuts an answer that
    /// has begun.
    private func refuseRest(_ refusal: HTTPRefusal, on connection: Connection) {
        endIntake(RequestBodyError(refusal))
        guard var request = deferral?.request else { return cut(connection) }
        request.keepsAlive = false
        endDeferral()
        respond(Response(status: refusal.status, text: refusal.reason + "\n"), to: request, on: connection)
    }

    /// Ends a body that is not complete: nothing of it is read any more.
    func endIntake(_ error: RequestBodyError) {
        intake?.pipe.fail(error)
        intake = nil
    }
}
