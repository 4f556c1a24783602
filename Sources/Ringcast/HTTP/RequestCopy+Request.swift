import HTTPProtocol
public import HTTPTypes
public import Reactor

/// What `Request` has, by the same names: `request.cookie("session")`. Each decodes then and there, as it does there.
extension RequestCopy {
    /// The method, as it was sent.
    public var method: HTTPRequest.Method { request.method }

    /// The request target as it was sent: path and query, percent-encoded.
    public var rawTarget: String { request.rawTarget }

    /// The path, percent-decoded, without the query.
    public var path: String { request.path }

    /// The path of the request's route as it was registered; nil where the server has no routes.
    public var route: String? { request.route }

    /// What stands in the path for `:name` of the request's route; see `Request.parameter(_:)`.
    public func parameter(_ name: String) -> String? { request.parameter(name) }

    /// The first value of a query parameter, percent-decoded; nil if there is no such parameter.
    public func query(_ name: String) -> String? { request.query(name) }

    /// All query parameters in order, percent-decoded.
    public var queryItems: [(name: String, value: String)] { request.queryItems }

    /// The value of a header, nil if it is not there; several are joined by commas. Names are case-insensitive.
    public func header(_ name: HTTPField.Name) -> String? { request.header(name) }

    /// All headers.
    public var headers: HTTPFields { request.headers }

    /// The value of the first cookie of that name; nil if there is none. Case counts.
    public func cookie(_ name: String) -> String? { request.cookie(name) }

    /// The host that is asked for, with its port if one was given.
    public var host: String? { request.host }

    /// The body as an array.
    public var bytes: [UInt8] { request.bytes }

    /// The body as a string. What is not UTF-8 comes out repaired.
    public var string: String { request.string }

    /// Whether the request came by TLS (`https`, `wss`).
    public var isSecure: Bool { request.isSecure }

    /// Who asks, behind proxies that the configuration trusts too; see `Request.clientAddress`.
    public var clientAddress: SocketAddress? { request.clientAddress }

    /// The server that was asked, which the copy keeps.
    public var server: Server { request.server }
}
