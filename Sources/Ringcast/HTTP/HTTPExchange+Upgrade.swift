import HTTPProtocol
import HTTPTypes
import Reactor
import WebSocketProtocol

extension HTTPExchange {
    /// Answers the handshake (RFC 6455 §4.2.2; on a stream of HTTP/2 RFC 8441 §5), and turns the connection into a
    /// socket.
    func perform(_ upgrade: Upgrade, for request: RequestSummary, on connection: Connection) {
        guard var handshake = request.handshake, !inputHasEnded else { return close(connection) }
        handshake.isExtendedConnect = isStream
        guard !loop.core.hasBeenStopped else {
            respond(
                Response(status: .serviceUnavailable, text: "the server is stopping\n"), to: request,
                refusing: .stopping, on: connection)
            return
        }
        let answer: AcceptedHandshake
        let subprotocol: String?
        let deflate: DeflateParameters?
        do {
            let configuration = loop.core.configuration
            let acceptance = try Handshake.accept(
                handshake, subprotocols: upgrade.subprotocol.map { [$0] } ?? configuration.subprotocols,
                originPolicy: configuration.originPolicy)
            subprotocol = acceptance.subprotocol
            deflate = try upgrade.options.perMessageDeflate.accept(offers: handshake.extensions)
            answer = try head(of: acceptance, extensions: deflate?.headerValue, fields: upgrade.headers)
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
        let status = send(answer, on: connection)
        loop.events.upgrades.add(1)
        loop.events.responses.count(status)
        for observer in request.observers { observer.answered(status) }
        loop.release(self)
        loop.open(upgrade, on: connection, path: request.path, subprotocol: subprotocol, deflate: deflate)
    }

    /// The head of the answer that makes a socket, which can no longer fail.
    private enum AcceptedHandshake {
        case switching([UInt8])
        case stream([ResponseEncoder.ListedField])
    }

    private func head(
        of acceptance: HandshakeAcceptance, extensions: String?, fields: HTTPFields
    ) throws(UnsendableResponse) -> AcceptedHandshake {
        if isStream {
            return .stream(
                try ResponseEncoder.listAcceptance(
                    subprotocol: acceptance.subprotocol, extensions: extensions, fields: fields,
                    date: loop.date.value(at: loop.now)))
        }
        var output: [UInt8] = []
        output.reserveCapacity(256)
        try ResponseEncoder.encodeSwitchingProtocols(
            acceptValue: acceptance.acceptValue, subprotocol: acceptance.subprotocol, extensions: extensions,
            fields: fields, into: &output)
        return .switching(output)
    }

    private func send(_ answer: AcceptedHandshake, on connection: Connection) -> HTTPResponse.Status {
        switch answer {
        case .switching(let bytes):
            unsafe connection.send(bytes.span.bytes)
            return .switchingProtocols
        case .stream(let fields):
            connection.http2Carrier?.respond(on: connection, status: 200, fields: fields, hasBody: true)
            return .ok
        }
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
