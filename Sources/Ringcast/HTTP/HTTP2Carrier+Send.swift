import HTTP2Protocol
import Reactor

extension HTTP2Carrier {
    /// So many bytes may be queued for the client before streams have to wait.
    private static let outputWatermark = 256 << 10

    /// Tells nghttp2 what a stream's connection has queued since it was last told.
    func offerOutput(of stream: Connection) {
        guard let entry = streams[stream.place] else { return }
        let queued = stream.queuedByteCount
        if queued > entry.offeredByteCount, http2.queue(queued - entry.offeredByteCount, on: entry.id) {
            streams[stream.place]?.offeredByteCount = queued
        }
        // The last frame says that it is the last one.
        if stream.isClosing { finish(at: stream.place) }
        connection.gatherAtTurnsEnd()
    }

    /// A stream's connection has been closed: what it has queued is the end of the answer.
    func finish(at place: Int) {
        guard let entry = streams[place], entry.isOpen, entry.isAnswered, !entry.isFinished else { return }
        streams[place]?.isFinished = true
        // A tunnel's client says by itself that it has done; a request's rest is not wanted (RFC 9113 §8.1).
        if !entry.isTunnel, !entry.clientHasEnded { http2.refuseRest(of: entry.id) }
        http2.finish(entry.id)
        connection.gatherAtTurnsEnd()
    }

    /// Queues what may leave: as long as the client takes it, and its windows are open.
    func gather(on connection: Connection) {
        guard !connection.isClosing else { return }
        while !connection.isBlocked, connection.queuedByteCount < Self.outputWatermark {
            guard http2.sendNext(frames: { connection.send($0) }, data: { send($0, on: connection) }) else {
                handleEvents()
                if http2.failure != nil || http2.isOver { connection.close() }
                return
            }
        }
        handleEvents()
        connection.notifyWhenDrained()
    }

    private func send(_ frame: HTTP2DataFrame, on connection: Connection) {
        let header = frame.header
        unsafe connection.send(header.span.bytes)
        guard frame.byteCount > 0 else { return }
        guard let place = places[frame.stream], let stream = streams[place], let slot = stream.slot,
            stream.offeredByteCount >= frame.byteCount
        else {
            // A reset goes in front of the frames of its stream, so that none of a connection that is gone comes here.
            return connection.abort()
        }
        streams[place]?.offeredByteCount -= frame.byteCount
        connection.takeOutput(frame.byteCount, of: slot)
    }
}
