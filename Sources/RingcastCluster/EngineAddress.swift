import HTTPProtocol
import Ringcast

/// Where an engine is, and who asks: `redis://user:password@host:6379`, with `rediss` or `tls` for TLS.
struct EngineAddress: Sendable {
    let host: String
    let port: UInt16
    let isSecure: Bool
    let user: String?
    let password: String?

    /// Where it is, without secrets: for errors and logs.
    var place: String { "\(host):\(port)" }

    /// - Parameters:
    ///   - schemes: which schemes there are, and whether they mean TLS.
    /// - Throws: what is wrong, in a sentence that does not repeat a password.
    init(_ url: String, schemes: KeyValuePairs<String, Bool>, port defaultPort: UInt16) throws(ServerError) {
        let names = schemes.map { "\($0.key)://" }.joined(separator: " or ")
        guard let scheme = schemes.first(where: { url.hasPrefix("\($0.key)://") }) else {
            throw Self.error("the cluster's URL has to begin with \(names)")
        }
        isSecure = scheme.value
        var rest = url.dropFirst(scheme.key.utf8.count + 3)
        if rest.hasSuffix("/") { rest.removeLast() }
        guard !rest.contains(where: { "/?#".contains($0) }) else {
            throw Self.error("the cluster's URL names a host, and no path: \(scheme.key)://user:password@host:port")
        }
        var credentials: Substring?
        if let at = rest.lastIndex(of: "@") {
            credentials = rest[..<at]
            rest = rest[rest.index(after: at)...]
        }
        (user, password) = try Self.credentials(credentials)
        (host, port) = try Self.host(rest, defaultPort: defaultPort)
    }

    private static func credentials(_ text: Substring?) throws(ServerError) -> (String?, String?) {
        guard let text else { return (nil, nil) }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let decoded = parts.map { $0.percentDecoded }
        guard decoded.count == 2, let user = decoded[0], let password = decoded[1] else {
            throw error("before the @ of the cluster's URL stand a user, a colon and a password, percent-encoded")
        }
        return (user.isEmpty ? nil : user, password)
    }

    private static func host(_ text: Substring, defaultPort: UInt16) throws(ServerError) -> (String, UInt16) {
        var (host, port) = (text, Substring("\(defaultPort)"))
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            if rest.hasPrefix(":") { port = rest.dropFirst() }
        } else if let colon = text.lastIndex(of: ":") {
            (host, port) = (text[..<colon], text[text.index(after: colon)...])
        }
        guard !host.isEmpty, host.utf8.count < 256 else { throw error("the cluster's URL names no host") }
        guard let number = UInt16(port), number > 0 else {
            // Not repeated: where the host was forgotten, it is the password.
            throw error("the port in the cluster's URL is none: 1 to 65535")
        }
        return (String(host), number)
    }

    private static func error(_ sentence: String) -> ServerError {
        ServerError(sentence, code: .invalidConfiguration)
    }
}

extension Substring {
    /// The text with `%41` read as `A`; nil if a `%` begins nothing of the kind, or what comes out is no UTF-8.
    fileprivate var percentDecoded: String? {
        let escapes = utf8.split(separator: UInt8(ascii: "%"), omittingEmptySubsequences: false).dropFirst()
        let areWhole = escapes.allSatisfy { $0.count >= 2 && $0.prefix(2).allSatisfy { $0.hexadecimalDigit != nil } }
        return areWhole ? String(validating: PercentDecoding.decodedBytes(String(self)), as: UTF8.self) : nil
    }
}
