import HTTP2Protocol
import HTTPProtocol
import HTTPTypes
import Reactor

extension HTTP2Carrier {
    /// Takes the client's next bytes, all of them: what a stream cannot take now its connection keeps, within the
    /// stream's window.
    func receive(_ bytes: inout MutableRawSpan, from start: Int = 0) {
        http2.receive(bytes.bytes.extracting(droppingFirst: start), now: loop.now)
        for event in http2.takeEvents() { handle(event, in: &bytes, from: start) }
        connection.gatherAtTurnsEnd()
    }

    /// What nghttp2 noticed while it was asked for what is to be sent: nothing that has bytes.
    func handleEvents() {
        var nothing = MutableRawSpan()
        for event in http2.takeEvents() { handle(event, in: &nothing, from: 0) }
    }

    private func handle(_ event: HTTP2Event, in bytes: inout MutableRawSpan, from start: Int) {
        switch event {
        case .request(let head, let id, let hasBody): begin(head, id, hasBody: hasBody)
        case .oversizedRequest(let id):
            answer(id, HTTPRefusal(status: .requestHeaderFieldsTooLarge, reason: "the head is too large"))
        case .data(let range, let id): deliver(start + range.lowerBound..<start + range.upperBound, of: &bytes, to: id)
        case .end(let id):
            guard let place = places[id] else { return }
            streams[place]?.clientHasEnded = true
            if let slot = streams[place]?.slot { Connection(slot).deliverEnd() }
        case .closed(let id, let code): wireIsOver(id, code)
        case .goAway: break  // what is open goes on, and idle connections end by themselves
        case .failed(let failure): fail(failure)
        }
    }

    /// Gives a request's stream a connection, with an exchange that reads the head as any other.
    private func begin(_ head: HTTP2Head, _ id: HTTP2StreamID, hasBody: Bool) {
        // A handler of a stream before may have ended it.
        guard !connection.isClosing else { return }
        if let refusal {
            answer(id, refusal)
            return stop()
        }
        let isTunnel = head.connectProtocol == HTTP2Head.webSocket
        if head.connectProtocol != nil, !isTunnel {
            // RFC 9220 §3 says what RFC 8441 leaves open.
            return answer(id, HTTPRefusal(status: .notImplemented, reason: "this :protocol is not spoken here"))
        }
        let place = takePlace()
        let slot = connection.carry(at: UInt16(place))
        add(Stream(id: id, isTunnel: isTunnel, slot: slot, clientHasEnded: !hasBody), at: place)
        let stream = Connection(slot)
        loop.exchange(on: stream, bodyFollows: hasBody && !isTunnel)
        var bytes = head.bytes
        unsafe bytes.withUnsafeMutableBytes { unsafe stream.deliver($0) }
        if !hasBody { stream.deliverEnd() }
    }

    private func deliver(_ range: Range<Int>, of bytes: inout MutableRawSpan, to id: HTTP2StreamID) {
        guard let place = places[id], let slot = streams[place]?.slot else { return }
        streams[place]?.heldByteCount += range.count
        let stream = Connection(slot)
        unsafe bytes.withUnsafeMutableBytes {
            unsafe stream.deliver(UnsafeMutableRawBufferPointer(rebasing: $0[range]))
        }
        openWindow(of: stream)
    }

    /// Lets the client send as much more on a stream as has been consumed of it.
    func openWindow(of stream: Connection) {
        guard let entry = streams[stream.place] else { return }
        let held = stream.heldByteCount
        guard held < entry.heldByteCount else { return }
        streams[stream.place]?.heldByteCount = held
        http2.consume(entry.heldByteCount - held, of: entry.id)
        connection.gatherAtTurnsEnd()
    }

    /// The client has broken a rule of the connection: it is told so by a GOAWAY, and nothing of it goes on.
    private func fail(_ failure: HTTP2Failure) {
        loop.report(.http2(failure.code.rawValue), "HTTP/2: \(failure)", loop.metadata(of: connection))
        endAll(.peer)
    }
}
