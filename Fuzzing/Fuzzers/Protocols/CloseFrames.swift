import FuzzSupport
import WebSocketProtocol

/// A Close frame of any body, alone and between the fragments of a message.
enum CloseFrames {
    static func run(_ input: inout FuzzInput) {
        let role: Role = input.bool() ? .server : .client
        let isInside = input.bool()
        let body = input.take(125)
        var bytes = FrameWriting.frame(.close, body, to: role)
        if isInside {
            bytes = FrameWriting.frame(.text, [0x61, 0xC3], to: role, isFinal: false) + bytes
            bytes += FrameWriting.frame(.ping, body, to: role)
            bytes += FrameWriting.frame(.continuation, [0xA9], to: role)
        }
        Frames.check(bytes, FrameSetting(role: role))
    }
}
