import HTTPTypes

/// Writes a client's plain requests.
enum RequestWriter {
    /// What `Host` says where the test does not: a same-origin page's `Origin` is `http://test`.
    static let host = "test"
    private static let hostName = HTTPField.Name("Host")!

    static func encode(
        _ method: HTTPRequest.Method, _ target: String, _ fields: HTTPFields, _ body: [UInt8]
    ) -> [UInt8] {
        var text = "\(method.rawValue) \(target) HTTP/1.1\r\n"
        if fields[hostName] == nil { text += "Host: \(host)\r\n" }
        for field in fields { text += "\(field.name.rawName): \(field.value)\r\n" }
        let hasBody = !body.isEmpty || [.post, .put, .patch].contains(method)
        if hasBody, fields[.contentLength] == nil, fields[.transferEncoding] == nil {
            text += "Content-Length: \(body.count)\r\n"
        }
        return Array((text + "\r\n").utf8) + body
    }
}
