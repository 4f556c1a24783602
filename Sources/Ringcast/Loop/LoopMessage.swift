import PubSub
import Reactor

/// What loops and other threads of one server say to a loop. Packed into the reactor's `ServiceMessage`, four words
/// that lanes copy as they are; whoever unpacks one owns what it carries.
enum LoopMessage {
    /// A frame for the loop's subscribers of the frame's topic.
    case publish(SharedFrame)
    /// A frame for one socket.
    case send(SharedFrame, slot: UInt32, serial: UInt64)
    /// Anything else.
    case job(LoopJob)

    private enum Kind: UInt64 {
        case publish = 1
        case send = 2
        case job = 3
    }

    func pack() -> ServiceMessage {
        // Safe: one share of the frame, or the retain here, belongs to whoever unpacks the message, once.
        switch self {
        case .publish(let frame):
            unsafe ServiceMessage(kind: Kind.publish.rawValue, first: frame.rawValue)
        case .send(let frame, let slot, let serial):
            unsafe ServiceMessage(kind: Kind.send.rawValue | UInt64(slot) << 32, first: frame.rawValue, number: serial)
        case .job(let job):
            unsafe ServiceMessage(kind: Kind.job.rawValue, first: Unmanaged.passRetained(job).toOpaque())
        }
    }

    init(unpacking message: ServiceMessage) {
        // Safe: the kind says what `pack` put into the words.
        switch Kind(rawValue: message.kind & 0xFF) {
        case .publish:
            self = unsafe .publish(SharedFrame(rawValue: message.first!))
        case .send:
            self = unsafe .send(
                SharedFrame(rawValue: message.first!), slot: UInt32(message.kind >> 32), serial: message.number)
        case .job: self = unsafe .job(Unmanaged<LoopJob>.fromOpaque(message.first!).takeRetainedValue())
        case nil: preconditionFailure("a loop message of kind \(message.kind)")
        }
    }
}

extension LoopMessage {
    /// Gives back what a message carries that could not be posted.
    func forget() {
        switch self {
        case .publish(let frame), .send(let frame, _, _): frame.release()
        case .job: break
        }
    }

    /// The end of a message that was posted when no loop was left: a job runs, to say so to whoever waits for it.
    func discard() {
        if case .job(let job) = self { job.run(on: nil) } else { forget() }
    }
}

/// A piece of work for one loop, run there once. If it cannot be handed over it is run where it is, with no loop.
final class LoopJob: Sendable {
    private let body: @Sendable (ServerLoop?) -> Void

    init(_ body: @escaping @Sendable (ServerLoop?) -> Void) { self.body = body }

    func run(on loop: ServerLoop?) { body(loop) }
}
