import FuzzSupport
@testable import WebSocketProtocol

/// The negotiation of permessage-deflate, from both sides (RFC 7692 §5, §7.1).
enum ExtensionOffers {
    private static let contexts: [PerMessageDeflate.Context] = [
        .shared, .disable, .dedicated, .kilobytes3, .kilobytes4, .kilobytes8, .kilobytes16, .kilobytes32,
        .kilobytes64, .kilobytes128, .kilobytes256,
    ]

    static func run(_ input: inout FuzzInput) {
        func side() -> PerMessageDeflate {
            PerMessageDeflate(compress: input.element(of: contexts), decompress: input.element(of: contexts))
        }
        let (server, client) = (side(), side())
        let text = input.text()
        checkList(text, server)
        do throws(HandshakeRefusal) {
            if let answer = try server.accept(offers: text) { check(answer, of: server, to: text) }
        } catch {
            require(error.status == 400 && ExtensionList(text) == nil, "refused: \(error.reason)")
        }
        do throws(NegotiationFailure) {
            if let agreed = try client.confirm(answer: text) { checkKept(agreed, by: client, as: .client) }
        } catch {
            require(!error.reason.isEmpty, "no reason")
        }
        checkEachOther(server, client)
    }

    /// Two lines are read as one that is joined by a comma, and what is read can be written again.
    private static func checkList(_ text: String, _ side: PerMessageDeflate) {
        guard let list = ExtensionList(text) else { return }
        let joined = ExtensionList(text + "," + text)
        require(joined?.elements.count == 2 * list.elements.count, "joined lines are another list")
        let written = list.elements.map { element in
            element.name + element.parameters.map { ";" + $0.name + ($0.value.map { "=\($0)" } ?? "") }.joined()
        }
        let again = ExtensionList(written.joined(separator: ", "))
        let isSame = again?.elements.elementsEqual(list.elements) { left, right in
            left.name == right.name
                && left.parameters.elementsEqual(right.parameters) { $0.name == $1.name && $0.value == $1.value }
        }
        require(isSame == true, "another list when it is written again: \(written)")
    }

    private static func check(_ answer: DeflateParameters, of server: PerMessageDeflate, to offers: String) {
        checkKept(answer, by: server, as: .server)
        guard let list = ExtensionList(answer.headerValue), list.elements.count == 1,
            let fields = DeflateFields(list.elements[0].parameters)
        else { fatalError("the answer cannot be read: \(answer.headerValue)") }
        require(
            fields.serverNoContextTakeover == answer.serverNoContextTakeover
                && fields.clientNoContextTakeover == answer.clientNoContextTakeover
                && fields.serverMaxWindowBits == answer.serverMaxWindowBits
                && fields.clientWindow == answer.clientMaxWindowBits.map { .atMost($0) }, "read otherwise")
        // It answers the first offer that can be read, and says what that asks for.
        let elements = ExtensionList(offers)?.elements ?? []
        guard
            let offer = elements.lazy.filter({ $0.name == "permessage-deflate" })
                .compactMap({ DeflateFields($0.parameters) }).first
        else { fatalError("an answer to no offer") }
        require(answer.serverNoContextTakeover || !offer.serverNoContextTakeover, "context against the offer")
        if let most = offer.serverMaxWindowBits {
            require(answer.serverMaxWindowBits.map { $0 <= most } == true, "a larger window than was offered")
        }
        switch offer.clientWindow {
        case nil: require(answer.clientMaxWindowBits == nil, "a window that the client cannot keep to")
        case .any: break
        case .atMost(let most): require((answer.clientMaxWindowBits ?? 15) <= most, "a larger window than was offered")
        }
    }

    /// A side's own memory is bounded by its settings, whatever the peer says.
    private static func checkKept(_ agreed: DeflateParameters, by side: PerMessageDeflate, as role: Role) {
        require(side.isEnabled, "agreed on what is off")
        let (outgoing, incoming) = (agreed.outgoing(of: role), agreed.incoming(of: role))
        require(8...15 ~= outgoing.windowBits && 8...15 ~= incoming.windowBits, "windows: \(agreed)")
        require(outgoing.windowBits <= side.compress.windowBits, "a larger window: \(agreed)")
        require(side.compress.isDedicated || !outgoing.keepsContext, "a context that there is no memory for")
        require(side.decompress.isDedicated || !incoming.keepsContext, "a context that there is no memory for")
        // Without a context the window is the loop's, of full size.
        require(
            incoming.windowBits <= side.decompress.windowBits || !incoming.keepsContext, "a larger window: \(agreed)")
    }

    /// Both sides' own texts lead to an agreement, and both understand it alike.
    private static func checkEachOther(_ server: PerMessageDeflate, _ client: PerMessageDeflate) {
        guard let answer = try? server.accept(offers: client.offer) else {
            return require(!server.isEnabled || !client.isEnabled, "no answer to \(client.offer ?? "")")
        }
        guard let agreed = try? client.confirm(answer: answer.headerValue) else {
            fatalError("\(client.offer ?? "") is answered by \(answer.headerValue), which is not confirmed")
        }
        require(agreed.incoming(of: .client) == answer.outgoing(of: .server), "the server's direction differs")
        let (sent, expected) = (agreed.outgoing(of: .client), answer.incoming(of: .server))
        require(sent.windowBits <= expected.windowBits, "the client's window is larger than the server knows")
        require(!sent.keepsContext || expected.keepsContext, "the client keeps a context that the server does not")
    }
}
