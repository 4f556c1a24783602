/// The headers of a message: `NATS/1.0`, perhaps with a status, then `Name: value` lines up to a blank one. JetStream
/// adds its own behind those that a message had when it was published, also where a name is there already.
struct NATSHeaders {
    /// 503 where nobody hears a request, 404 where a stream has no such message.
    let status: Int?
    private let fields: [(name: Substring, value: Substring)]

    init(_ bytes: UnsafeRawBufferPointer) {
        let lines = unsafe String(decoding: bytes, as: UTF8.self).split(separator: "\r\n")
        status = lines.first.flatMap { Int($0.dropFirst("NATS/1.0 ".utf8.count).prefix(3)) }
        fields = lines.dropFirst().compactMap { line in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            return (line[..<colon], line[line.index(after: colon)...].drop { $0 == " " })
        }
    }

    func first(_ name: String) -> Substring? { fields.first { $0.name == name }?.value }
    func last(_ name: String) -> Substring? { fields.last { $0.name == name }?.value }
}
