import FuzzSupport
import HTTPProtocol
import HTTPTypes
@testable import WebSocketProtocol

/// The opening handshake: a server's answer of any bytes, and both halves against each other.
enum ClientHandshakes {
    static func run(_ input: inout FuzzInput) {
        let deflate = PerMessageDeflate(booleanLiteral: input.bool())
        let nonce = [UInt8](repeating: input.byte(), count: 16)
        if input.number(below: 4) == 3 { return checkBothHalves(&input, nonce, deflate) }
        let handshake = ClientHandshake(nonce: nonce, subprotocols: ["chat", "v2.x"], perMessageDeflate: deflate)
        // A byte that no head may hold stands for the right answer to the key, which cannot be guessed.
        let accept = Array(Handshake.acceptValue(forKey: handshake.key).utf8)
        let text = input.remainder()
        let bytes = text.contains(1) ? text.flatMap { $0 == 1 ? accept : [$0] } : text
        var parser = ResponseHeadParser()
        guard case .complete(let head) = parser.parse(bytes.span.bytes) else { return }
        do throws(HandshakeViolation) {
            let agreement = try handshake.check(response(head))
            checkAgreement(agreement, head, accept, deflate)
        } catch {
            require(!error.description.isEmpty, "no reason")
        }
    }

    private static func response(_ head: ResponseHead) -> HandshakeResponse {
        HandshakeResponse(
            upgrade: head.fields[.upgrade], connection: head.fields[.connection],
            accept: head.fields[.secWebSocketAccept], subprotocol: head.fields[.secWebSocketProtocol],
            extensions: head.fields[.secWebSocketExtensions])
    }

    /// RFC 6455 §4.1: what a client must not have gone on with.
    private static func checkAgreement(
        _ agreement: HandshakeAgreement, _ head: ResponseHead, _ accept: [UInt8], _ deflate: PerMessageDeflate
    ) {
        func members(_ name: HTTPField.Name) -> [String] {
            head.fields[values: name].flatMap { $0.split(separator: ",") }
                .map { $0.trimmingBlanks.lowercased() }.filter { !$0.isEmpty }
        }
        require(Set(members(.upgrade)) == ["websocket"], "upgraded to \(members(.upgrade))")
        require(members(.connection).contains("upgrade"), "Connection: \(members(.connection))")
        require(head.fields[values: .secWebSocketAccept].map { Array($0.utf8) } == [accept], "another key's answer")
        let protocols = head.fields[values: .secWebSocketProtocol]
        require(
            protocols.isEmpty ? agreement.subprotocol == nil : protocols == [agreement.subprotocol ?? ""],
            "\(protocols)")
        require(protocols.allSatisfy { ["chat", "v2.x"].contains($0) }, "\(protocols) were not asked for")
        let extensions = members(.secWebSocketExtensions)
        require(extensions.isEmpty == (agreement.deflate == nil), "\(extensions)")
        require(agreement.deflate == nil || deflate.isEnabled, "an extension that was not offered")
    }

    /// What our client asks, our server accepts, and what that answers, our client takes.
    private static func checkBothHalves(_ input: inout FuzzInput, _ nonce: [UInt8], _ deflate: PerMessageDeflate) {
        let names = String(decoding: input.remainder(), as: UTF8.self).split(separator: ",").map(String.init)
            .filter(ClientHandshake.isSubprotocol)
        let handshake = ClientHandshake(nonce: nonce, subprotocols: names, perMessageDeflate: deflate)
        var request: [UInt8] = []
        do {
            try RequestEncoder.encodeUpgrade(
                target: "/", host: "h", key: handshake.key, subprotocols: names, extensions: deflate.offer,
                into: &request)
            var parser = RequestHeadParser(limits: RequestLimits(headBytes: 1 << 20))
            guard case .complete(let layout) = parser.parse(request.span.bytes) else {
                fatalError("our own request is refused: \(String(decoding: request, as: UTF8.self))")
            }
            let head = RequestHead(bytes: request.span.bytes, layout: layout)
            require(layout.byteCount == request.count && layout.requestsUpgrade, "another request")
            let acceptance = try Handshake.accept(
                HandshakeRequest(
                    method: head.method.rawValue, isHTTP11: layout.isHTTP11, host: head.authority,
                    upgrade: head.header(.upgrade), connection: head.header(.connection),
                    key: head.header(.secWebSocketKey), version: head.header(.secWebSocketVersion),
                    subprotocols: head.headers(.secWebSocketProtocol)),
                subprotocols: names.reversed())
            require(acceptance.subprotocol == names.last, "chosen: \(acceptance.subprotocol ?? "-") of \(names)")
            let agreed = try deflate.accept(offers: head.header(.secWebSocketExtensions))
            var answer: [UInt8] = []
            try ResponseEncoder.encodeSwitchingProtocols(
                acceptValue: acceptance.acceptValue, subprotocol: acceptance.subprotocol,
                extensions: agreed?.headerValue, into: &answer)
            var answerParser = ResponseHeadParser(limits: RequestLimits(headBytes: 1 << 20))
            guard case .complete(let answerHead) = answerParser.parse(answer.span.bytes) else {
                fatalError("our own answer is malformed")
            }
            let agreement = try handshake.check(response(answerHead))
            require(agreement.subprotocol == acceptance.subprotocol, "another subprotocol")
            require((agreement.deflate != nil) == (agreed != nil), "another extension")
        } catch {
            fatalError("our two halves do not agree: \(error)")
        }
    }
}
