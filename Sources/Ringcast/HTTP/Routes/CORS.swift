public import HTTPTypes
public import WebSocketProtocol

extension Middleware {
    /// Lets web pages of other origins read what the routes below answer (Fetch standard, "CORS protocol").
    ///
    /// It answers preflights by itself: register it before what asks who one is, since preflights carry no cookies.
    /// Requests without `Origin`, and those of pages that are not allowed, are answered as ever, only that browsers
    /// keep the answer from such a page: this protects nothing from who is no browser. `Vary: Origin` is set wherever
    /// the answer depends on the page. WebSockets are untouched: for them there is `ServerConfiguration.originPolicy`.
    /// - Parameters:
    ///   - origins: whose pages. `.any` is answered with `*`.
    ///   - credentials: whether pages may send cookies along. With `.any` it traps, and with `null` among the origins,
    ///     which every page can make its own: all the world's pages could act in the name of whoever visits them.
    ///   - methods: what preflights are told may be asked.
    ///   - headers: which headers pages may set beyond the harmless ones; nil allows those that are asked for.
    ///   - exposing: which headers of replies pages may read beyond the harmless ones.
    ///   - maxAge: how long browsers may remember a preflight, in whole seconds.
    public static func cors(
        origins: OriginPolicy, credentials: Bool = false,
        methods: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete], headers: [HTTPField.Name]? = nil,
        exposing: [HTTPField.Name] = [], maxAge: Duration = .seconds(600)
    ) -> Middleware {
        precondition(!credentials || origins.namesPages, "cors: credentials are for pages of origins that are named")
        let rules = CORS(
            origins: origins, credentials: credentials, methods: methods.map(\.rawValue).joined(separator: ", "),
            headers: headers.map { $0.map(\.rawName).joined(separator: ", ") },
            exposing: exposing.map(\.rawName).joined(separator: ", "), maxAge: "\(max(0, maxAge.components.seconds))")
        return Middleware { request, next in try rules.answer(request, next) }
    }
}

extension OriginPolicy {
    /// Whether an origin that is permitted says whose page it is. `null` does not: any page can send it, from a frame
    /// in a sandbox.
    fileprivate var namesPages: Bool {
        switch self {
        case .sameOrigin: true
        case .allow(let origins): !origins.contains { $0.lowercased() == "null" }
        case .any: false
        }
    }
}

/// The rules of one `Middleware.cors`, as they are sent.
private struct CORS: Sendable {
    let origins: OriginPolicy
    let credentials: Bool
    let methods: String
    let headers: String?
    let exposing: String
    let maxAge: String

    func answer(_ request: borrowing Request, _ next: Next) throws -> Reply {
        if request.isWebSocketUpgrade { return try next(request) }
        let origin = request.header(.origin)
        let isPermitted = origin != nil && origins.permits(origin: origin, host: request.host)
        if origin != nil, request.method == .options, request.header(.accessControlRequestMethod) != nil {
            return preflight(isPermitted ? origin : nil, asking: request.header(.accessControlRequestHeaders))
        }
        return try next(request).changing { fields in
            allow(isPermitted ? origin : nil, in: &fields)
            if isPermitted, !exposing.isEmpty { fields[.accessControlExposeHeaders] = exposing }
        }
    }

    private func preflight(_ origin: String?, asking names: String?) -> Reply {
        var fields: HTTPFields = [:]
        allow(origin, in: &fields)
        fields.append(
            HTTPField(name: .vary, value: "Access-Control-Request-Method, Access-Control-Request-Headers"))
        if origin != nil {
            fields[.accessControlAllowMethods] = methods
            fields[.accessControlAllowHeaders] = headers ?? names
            fields[.accessControlMaxAge] = maxAge
        }
        return .response(.noContent, headers: fields)
    }

    /// Names the origin that may read the reply, if one may.
    private func allow(_ origin: String?, in fields: inout HTTPFields) {
        if origins != .any { fields.append(HTTPField(name: .vary, value: "Origin")) }
        guard let origin else { return }
        fields[.accessControlAllowOrigin] = origins == .any ? "*" : origin
        if credentials { fields[.accessControlAllowCredentials] = "true" }
    }
}
