import FuzzSupport
import WebSocketProtocol

@main struct ProtocolFuzzer {
    static func main() {
        fuzz([
            FuzzTarget("request-heads", RequestHeads.run),
            FuzzTarget("chunked-bodies", ChunkedBodies.run),
            FuzzTarget("response-heads", ResponseHeads.run),
            FuzzTarget("conditions", Conditions.run),
            FuzzTarget("frames-to-server") { Frames.run(&$0, role: .server) },
            FuzzTarget("frames-to-client") { Frames.run(&$0, role: .client) },
            FuzzTarget("close-frames", CloseFrames.run),
            FuzzTarget("extension-offers", ExtensionOffers.run),
            FuzzTarget("inflate", Inflating.run),
            FuzzTarget("utf8", TextValidation.run),
            FuzzTarget("client-handshake", ClientHandshakes.run),
            FuzzTarget("topics", Topics.run),
            FuzzTarget("routes", Routes.run),
        ])
    }
}
