import PubSub
import Reactor

/// What loops and other threads of one server say to a loop. Packed into the reactor's `ServiceMessage`, four words
/// that lanes copy as they are; whoever unpacks one owns what it carries.
enum LoopMessage {
    /// A frame for the loop's subscribers of the frame's topic, without its publisher if that is named.
    case publish(SharedFrame, except: Publisher?)
    /// A frame for the home loop of its topic, which numbers it and hands it on. What its publisher says of compression
    /// matters where it is encoded anew there.
    case order(SharedFrame, except: Publisher?, retain: Bool, compress: Bool?)
    /// A frame for one socket, and what its sender says of compression.
    case send(SharedFrame, slot: UInt32, serial: UInt64, compress: Bool?)
    /// Work that is no frame.
    case job(LoopJob)

    private enum Kind: UInt64 {
        case publish = 1
        case send = 2
        case job = 3
        case order = 4
    }

    func pack() -> ServiceMessage {
        // Safe: one share of the frame, or the retain here, belongs to whoever unpacks the message, once.
        switch self {
        case .publish(let frame, let publisher):
            unsafe ServiceMessage(
                kind: Kind.publish.rawValue | Publisher.pack(publisher), first: frame.rawValue,
                byteCount: frame.byteCount, number: publisher?.serial ?? 0)
        case .order(let frame, let publisher, let retain, let compress):
            unsafe ServiceMessage(
                kind: Kind.order.rawValue | (retain ? 1 << 8 : 0) | Self.pack(compress) << 9
                    | Publisher.pack(publisher),
                first: frame.rawValue, byteCount: frame.byteCount, number: publisher?.serial ?? 0)
        case .send(let frame, let slot, let serial, let compress):
            unsafe ServiceMessage(
                kind: Kind.send.rawValue | Self.pack(compress) << 8 | UInt64(slot) << 32, first: frame.rawValue,
                byteCount: frame.bytes.count,
                number: serial)
        case .job(let job):
            unsafe ServiceMessage(
                kind: Kind.job.rawValue, first: Unmanaged.passRetained(job).toOpaque(), byteCount: job.byteCount)
        }
    }

    init(unpacking message: ServiceMessage) {
        // Safe: the kind says what `pack` put into the words.
        switch Kind(rawValue: message.kind & 0xFF) {
        case .publish:
            self = unsafe .publish(SharedFrame(rawValue: message.first!), except: Publisher(unpacking: message))
        case .order:
            self = unsafe .order(
                SharedFrame(rawValue: message.first!), except: Publisher(unpacking: message),
                retain: message.kind >> 8 & 1 == 1, compress: Self.unpack(message.kind >> 9 & 3))
        case .send:
            self = unsafe .send(
                SharedFrame(rawValue: message.first!), slot: UInt32(message.kind >> 32), serial: message.number,
                compress: Self.unpack(message.kind >> 8 & 0xFF))
        case .job: self = unsafe .job(Unmanaged<LoopJob>.fromOpaque(message.first!).takeRetainedValue())
        case nil: preconditionFailure("a loop message of kind \(message.kind)")
        }
    }

    private static func pack(_ compress: Bool?) -> UInt64 { compress.map { $0 ? 2 : 1 } ?? 0 }

    private static func unpack(_ compress: UInt64) -> Bool? { compress == 0 ? nil : compress == 2 }
}

extension LoopMessage {
    /// Gives back what a message carries that could not be posted.
    func forget() {
        switch self {
        case .publish(let frame, _), .order(let frame, _, _, _), .send(let frame, _, _, _): frame.release()
        case .job: break
        }
    }

    /// Ends a message that was posted when no loop was left: a job runs without one, to tell whoever waits for it.
    func discard() {
        if case .job(let job) = self { job.run(on: nil) } else { forget() }
    }
}

/// The socket that published a message and does not get it, wherever the message goes.
struct Publisher {
    let loop: Int
    let slot: UInt32
    /// Never 0.
    let serial: UInt64

    /// The place as bits of the message's kind; the serial number has a word of its own.
    fileprivate static func pack(_ publisher: Publisher?) -> UInt64 {
        publisher.map { UInt64($0.loop) << 16 | UInt64($0.slot) << 32 } ?? 0
    }

    fileprivate init?(unpacking message: ServiceMessage) {
        guard message.number != 0 else { return nil }
        self.init(
            loop: Int(message.kind >> 16 & 0xFFFF), slot: UInt32(message.kind >> 32), serial: message.number)
    }

    init(loop: Int, slot: UInt32, serial: UInt64) { (self.loop, self.slot, self.serial) = (loop, slot, serial) }
}

/// A piece of work for one loop, run there once. If it cannot be handed over it is run where it is, with no loop.
final class LoopJob: Sendable {
    private let body: @Sendable (SocketLoop?) -> Void
    /// The memory that waits with the job, which counts against the lane's bound.
    let byteCount: Int

    init(byteCount: Int = 0, _ body: @escaping @Sendable (SocketLoop?) -> Void) {
        self.body = body
        self.byteCount = byteCount
    }

    func run(on loop: SocketLoop?) { body(loop) }
}
