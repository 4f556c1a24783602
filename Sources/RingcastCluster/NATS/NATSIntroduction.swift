import FoundationEssentials

/// What a server says of itself.
struct NATSInfo: Decodable {
    let isSecure: Bool?
    let payloadLimit: Int?
    /// Drawn by each process.
    let id: String?
    /// The name of the cluster of servers that it is in, if it is in one.
    let cluster: String?

    enum CodingKeys: String, CodingKey {
        case isSecure = "tls_required"
        case payloadLimit = "max_payload"
        case id = "server_id"
        case cluster
    }
}

/// What a client says of itself.
struct NATSConnect: Encodable {
    let user: String?
    let pass: String?
    let verbose = false
    let pedantic = false
    let echo = false
    let headers = true
    /// Whether a request that nobody hears is answered.
    let noResponders = true
    let name = "ringcast"
    let lang = "swift"
    let version = "1"
    /// 1: the server may tell later of other servers.
    let `protocol` = 1

    enum CodingKeys: String, CodingKey {
        case user, pass, verbose, pedantic, echo, headers, name, lang, version, `protocol`
        case noResponders = "no_responders"
    }
}

/// What NATS and its clients say of themselves and of streams.
enum JSON {
    static func bytes(_ value: some Encodable) -> [UInt8] {
        guard let data = try? JSONEncoder().encode(value) else {
            preconditionFailure("strings, numbers and booleans can be written as JSON")
        }
        return [UInt8](data)
    }

    static func value<Value: Decodable>(_ type: Value.Type, of bytes: [UInt8]) -> Value? {
        try? JSONDecoder().decode(type, from: Data(bytes))
    }

    /// The seconds since 1970 of a moment such as `2026-11-29T11:10:00Z`.
    static func seconds(of moment: String) -> Int? {
        (try? Date(moment, strategy: .iso8601)).map { Int($0.timeIntervalSince1970) }
    }

    /// Milliseconds since 1970, by this machine's clock.
    static var now: UInt64 { UInt64(max(0, Date.now.timeIntervalSince1970 * 1_000)) }
}
