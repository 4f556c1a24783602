import HTTPTypes

extension Middleware {
    /// Lets only those through whose `Authorization` is this token (RFC 6750 §2.1: `Bearer TOKEN`); others are answered
    /// 401. How long the comparison takes says nothing of the token but its length.
    ///
    /// For programs that share a secret with the server: a scraper of metrics, an administrator's script. Whoever hears
    /// the connection has it: serve it over TLS.
    /// - Parameter token: not empty: else it traps, since anybody could say nothing.
    public static func bearerToken(_ token: String) -> Middleware {
        precondition(!token.isEmpty, "an empty bearer token lets everybody in")
        let refusal = Reply.response(.unauthorized, headers: [.wwwAuthenticate: "Bearer"])
        return Middleware { request, next in
            guard let said = request.header(.authorization), bearer(in: said, is: token) else { return refusal }
            return try next(request)
        }
    }

    private static func bearer(in said: String, is token: String) -> Bool {
        let parts = said.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer", parts[1].utf8.count == token.utf8.count else {
            return false
        }
        // All bytes, whichever the first wrong one is.
        return zip(parts[1].utf8, token.utf8).reduce(0 as UInt8) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
