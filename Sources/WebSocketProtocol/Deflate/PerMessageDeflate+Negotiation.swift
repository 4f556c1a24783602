/// The server's side of the negotiation (RFC 7692 §5, §7.1).
extension PerMessageDeflate {
    static let extensionName = "permessage-deflate"

    /// Chooses among a client's offers: the first that can be kept.
    ///
    /// An offer with an unknown parameter, one given twice, or one with a wrong value, is declined. A client that wants
    /// no context, or a smaller window, gets it; this side asks for what its own options say. A client that cannot be
    /// asked for a smaller window is asked to keep no context instead, so that what a connection may cost holds.
    /// - Parameter offers: the value of `Sec-WebSocket-Extensions`, several joined by commas; nil if none came.
    /// - Returns: what to answer; nil to go on without the extension.
    /// - Throws: the response to a header that breaks its grammar (RFC 6455 §9.1).
    public func accept(offers: String?) throws(HandshakeRefusal) -> DeflateParameters? {
        guard isEnabled, let offers else { return nil }
        guard let list = ExtensionList(offers) else {
            throw .badRequest("Sec-WebSocket-Extensions is not a list of extensions.")
        }
        for element in list.elements where element.name == Self.extensionName {
            if let offer = DeflateFields(element.parameters) { return answer(to: offer) }
        }
        return nil
    }

    private func answer(to offer: DeflateFields) -> DeflateParameters {
        var answer = DeflateParameters(
            serverNoContextTakeover: offer.serverNoContextTakeover || !compress.isDedicated,
            clientNoContextTakeover: offer.clientNoContextTakeover || !decompress.isDedicated)
        if let limit = offer.serverMaxWindowBits {
            answer.serverMaxWindowBits = min(limit, compress.windowBits)
        } else if compress.windowBits < 15 {
            answer.serverMaxWindowBits = compress.windowBits
        }
        switch offer.clientWindow {
        case .atMost(let limit): answer.clientMaxWindowBits = min(limit, decompress.windowBits)
        case .any: if decompress.windowBits < 15 { answer.clientMaxWindowBits = decompress.windowBits }
        case nil: if decompress.windowBits < 15 { answer.clientNoContextTakeover = true }
        }
        return answer
    }
}

/// The client's side of the negotiation (RFC 7692 §5, §7.1).
extension PerMessageDeflate {
    /// The value of `Sec-WebSocket-Extensions` for a request; nil if the extension is off.
    public var offer: String? {
        guard isEnabled else { return nil }
        var value = Self.extensionName
        if !decompress.isDedicated { value += "; server_no_context_takeover" }
        if !compress.isDedicated { value += "; client_no_context_takeover" }
        if decompress.windowBits < 15 { value += "; server_max_window_bits=\(decompress.windowBits)" }
        // A client that says this can be asked for a smaller window.
        value += "; client_max_window_bits"
        if compress.windowBits < 15 { value += "=\(compress.windowBits)" }
        return value
    }

    /// Judges the server's answer to `offer`.
    ///
    /// - Parameter answer: the value of `Sec-WebSocket-Extensions`, several joined by commas; nil if none came.
    /// - Returns: what both sides keep to from now on; nil if the server wants no compression.
    /// - Throws: why the connection has to be failed (RFC 6455 §4.1, RFC 7692 §7.1).
    public func confirm(answer: String?) throws(NegotiationFailure) -> DeflateParameters? {
        guard let answer else { return nil }
        guard let list = ExtensionList(answer) else {
            throw NegotiationFailure(reason: "the server's Sec-WebSocket-Extensions is not a list of extensions")
        }
        guard let element = list.elements.first else { return nil }
        guard isEnabled, list.elements.count == 1, element.name == Self.extensionName else {
            throw NegotiationFailure(reason: "the server uses an extension that was not offered")
        }
        guard let fields = DeflateFields(element.parameters), let parameters = confirmed(fields) else {
            throw NegotiationFailure(reason: "the server's parameters of permessage-deflate do not fit the offer")
        }
        return parameters
    }

    private func confirmed(_ fields: DeflateFields) -> DeflateParameters? {
        // §7.1.1.1, §7.1.2.1: a server accepts what it is asked for by saying it in its answer.
        guard decompress.isDedicated || fields.serverNoContextTakeover else { return nil }
        if decompress.windowBits < 15 {
            guard let bits = fields.serverMaxWindowBits, bits <= decompress.windowBits else { return nil }
        }
        var parameters = DeflateParameters(
            serverNoContextTakeover: fields.serverNoContextTakeover,
            clientNoContextTakeover: fields.clientNoContextTakeover || !compress.isDedicated,
            serverMaxWindowBits: fields.serverMaxWindowBits,
            clientMaxWindowBits: compress.windowBits < 15 ? compress.windowBits : nil)
        switch fields.clientWindow {
        case .atMost(let bits):
            guard bits <= compress.windowBits else { return nil }
            parameters.clientMaxWindowBits = bits
        // §7.1.2.2: in an answer the parameter has a value.
        case .any: return nil
        case nil: break
        }
        return parameters
    }
}

/// Why a client cannot go on after the server's answer.
public struct NegotiationFailure: Error, Hashable {
    /// A sentence for logs.
    public let reason: String

    /// What `PerMessageDeflate.confirm` throws; public for tests of its users.
    public init(reason: String) { self.reason = reason }
}
