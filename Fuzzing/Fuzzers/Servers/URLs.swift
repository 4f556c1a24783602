import FuzzSupport
import HTTPProtocol
import HTTPTypes
import WebSocketProtocol

@testable import Ringcast

/// URLs, where redirects lead from them, and proxies' URLs: three lines of an input.
enum URLs {
    static func run(_ input: inout FuzzInput) {
        let lines = [input.take(until: 0x0A), input.take(until: 0x0A), input.remainder()]
            .map { String(decoding: $0, as: UTF8.self) }
        checkProxy(lines[2])
        guard let url = parse(lines[0]) else { return }
        check(url)
        guard let target = url.redirected(to: lines[1]) else { return }
        check(target)
        require(target.isSecure || !url.isSecure, "a redirect leaves encryption: \(target)")
        require(target.unixPath == url.unixPath, "a redirect leads to another kind of socket: \(target)")
        let isTold = target.userInfo != nil && target.userInfo == url.userInfo
        require(!isTold || target.hasSameOrigin(as: url) || lines[1].contains("@"), "credentials go to \(target)")
    }

    private static func parse(_ text: String) -> WebSocketURL? {
        do throws(WebSocketClientError) {
            return try WebSocketURL(text)
        } catch {
            guard error.code == .invalidURL, error.detail?.isEmpty == false else { fatalError("\(error)") }
            return nil
        }
    }

    private static func check(_ url: WebSocketURL) {
        require(url.target.hasPrefix("/") && url.target.utf8.allSatisfy { 0x20 < $0 && $0 < 0x7F }, url.target)
        if url.unixPath == nil {
            require(1...65_535 ~= url.port && !url.hostname.isEmpty, "host \(url.hostname), port \(url.port)")
        } else {
            require(url.port == 0 && url.hostname.isEmpty && url.userInfo == nil, "host and port of a Unix socket")
        }
        guard let again = parse(url.description) else { fatalError("\(url) cannot be read again") }
        require(again.hasSameOrigin(as: url) && again.target == url.target, "\(again) when read again, and \(url)")
        checkRequest(url)
    }

    /// What a client sends there is a request that our own server takes, for the same target and host.
    private static func checkRequest(_ url: WebSocketURL) {
        let handshake = ClientHandshake(nonce: [UInt8](repeating: 7, count: 16))
        do {
            let bytes = try ClientRequest(url.description).encoded(for: handshake, at: url, isRedirected: false)
            let limits = RequestLimits(headBytes: 1 << 20, targetBytes: 1 << 20)
            var parser = RequestHeadParser(limits: limits)
            guard case .complete(let layout) = parser.parse(bytes.span.bytes), layout.byteCount == bytes.count else {
                fatalError("refused: \(String(decoding: bytes, as: UTF8.self))")
            }
            let head = RequestHead(bytes: bytes.span.bytes, layout: layout)
            require(head.target == url.target, "\(head.target) is asked for instead of \(url.target)")
            require(head.authority == url.hostField, "\(head.authority ?? "") is asked instead of \(url.hostField)")
            require((head.header(.authorization) != nil) == (url.userInfo != nil), "with or without credentials")
        } catch {
            fatalError("\(url) cannot be asked for: \(error)")
        }
    }

    private static func checkProxy(_ text: String) {
        do throws(WebSocketClientError) {
            let proxy = try HTTPProxy(text)
            require(1...65_535 ~= proxy.port && !proxy.hostname.isEmpty, "a proxy at \(proxy.hostname), \(proxy.port)")
            let bytes = try proxy.encodedRequest(to: "example.com:80")
            require(bytes.suffix(4) == [0x0D, 0x0A, 0x0D, 0x0A], "a request without an end")
            var lines = 0
            for offset in bytes.indices where bytes[offset] == 0x0A { lines += offset > 0 ? 1 : 0 }
            require(lines == (proxy.credentials == nil ? 3 : 4), "\(lines) lines are sent to a proxy")
        } catch {
            guard error.code == .invalidURL else { fatalError("\(error)") }
        }
    }
}
