import HTTPProtocol
import HTTPTypes
import Reactor
import WebSocketProtocol

extension HTTPExchange {
    /// Answers the handshake (RFC 6455 §4.2.2), and turns the connection into a socket.
    func perform(_ upgrade: Upgrade, for request: RequestSummary, on connection: Connection) {
        guard let handshake = request.handshake, !inputHasEnded else { return close(connection) }
        guard !loop.core.hasBeenStopped else {
            respond(
                Response(status: .serviceUnavailable, text: "the server is stopping\n"), to: request,
                refusing: .stopping, on: connection)
            return
        }
        var output: [UInt8] = []
        output.reserveCapacity(256)
        let subprotocol: String?
        let deflate: DeflateParameters?
        do {
            let configuration = loop.core.configuration
            let acceptance = try Handshake.accept(
                handshake, subprotocols: upgrade.subprotocol.map { [$0] } ?? configuration.subprotocols,
                originPolicy: configuration.originPolicy)
            subprotocol = acceptance.subprotocol
            deflate = try upgrade.options.perMessageDeflate.accept(offers: handshake.extensions)
            try ResponseEncoder.encodeSwitchingProtocols(
                acceptValue: acceptance.acceptValue, subprotocol: subprotocol, extensions: deflate?.headerValue,
                fields: upgrade.headers, into: &output)
        } catch let refusal as HandshakeRefusal {
            respond(Response(refusal), to: request, refusing: UpgradeRefusal(refusal), on: connection)
            return
        } catch {
            reportUnsendable(error, path: request.path, on: connection)
            respond(.internalServerError, to: request, refusing: .internalError, on: connection)
            return
        }
        guard upgrade.data.take() else {
            loop.report(
                .unsendable, "an upgrade was given to two requests: make one for each, or its data would be shared",
                loop.metadata(of: connection, path: request.path))
            respond(.internalServerError, to: request, refusing: .internalError, on: connection)
            return
        }
        unsafe connection.send(output.span.bytes)
        loop.events.upgrades.add(1)
        loop.events.responses.count(.switchingProtocols)
        for observer in request.observers { observer.answered(.switchingProtocols) }
        loop.release(self)
        loop.open(upgrade, on: connection, path: request.path, subprotocol: subprotocol, deflate: deflate)
    }
}

extension Response {
    init(_ refusal: HandshakeRefusal) {
        var headers = HTTPFields()
        for (name, value) in refusal.headers {
            if let name = HTTPField.Name(name) { headers.append(HTTPField(name: name, value: value)) }
        }
        self.init(status: HTTPResponse.Status(code: refusal.status), text: refusal.reason + "\n", headers: headers)
    }
}
