import PubSub
import Reactor

extension SocketLoop {
    /// Handles a message from another loop or thread of this server.
    func received(_ message: ServiceMessage) {
        switch LoopMessage(unpacking: message) {
        case .publish(let frame, let publisher):
            handle(frame) { arrived(frame, except: publisher) }
            frame.release()
        case .order(let frame, let publisher, let retain, let compress):
            handle(frame) { order(frame, except: publisher, retain: retain, compress: compress) }
        case .send(let frame, let slot, let serial, let compress):
            if let session = sessions.find(slot: slot, serial: serial) {
                handle(frame) { session.sendShared(frame, compress: compress) }
            } else {
                unsafe counters.pointee.dropsClosed += 1
            }
            frame.release()
        case .job(let job): job.run(on: self)
        }
    }

    @inline(__always)
    private func handle(_ frame: SharedFrame, _ body: () -> Void) {
        if frame.isQuiet { quietly(body) } else { body() }
    }
}
