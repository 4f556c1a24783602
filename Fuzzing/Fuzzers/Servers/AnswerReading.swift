import FuzzSupport
import HTTPProtocol
import HTTPTypes
import WebSocketProtocol

/// What a server writes is read as a client reads it: responses, and behind a 101 frames.
enum AnswerReading {
    static func check(_ bytes: [UInt8]) {
        var position = 0
        while position < bytes.count {
            var parser = ResponseHeadParser()
            let rest = Array(bytes[position...])
            switch parser.parse(rest.span.bytes) {
            case .incomplete: return
            case .malformed(let what): fatalError("the server has written what is none: \(what)")
            case .complete(let head):
                position += head.byteCount
                if head.status == 101 { return checkFrames(Array(bytes[position...])) }
                // Whether a body follows depends on the request, which may have been HEAD.
                if head.status >= 200 { return }
            }
        }
    }

    private static func checkFrames(_ frames: [UInt8]) {
        var frames = frames
        var decoder = FrameDecoder(role: .client, allowsCompression: true)
        var span = frames.mutableSpan
        var input = span.mutableBytes
        var position = 0
        var hasClosed = false
        while let event = decoder.next(in: &input, at: &position, limits: DecoderLimits()) {
            require(!hasClosed, "something is sent behind a Close frame")
            if case .violation(let violation) = event { fatalError("the server has sent \(violation)") }
            if case .close = event { hasClosed = true }
        }
    }
}
