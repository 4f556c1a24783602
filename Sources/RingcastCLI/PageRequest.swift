import Dispatch
import Glibc
import Ringcast
import SystemCalls

/// A page that is asked for again and again, by plain HTTP: a connection each time, which says best whether the server
/// is still there.
struct PageRequest: Sendable {
    private let url: WebSocketURL
    /// `127.0.0.1:3000`.
    let place: String

    private let path: String

    /// - Parameters:
    ///   - url: without a path `/metrics` is asked for.
    ///   - name: nil, or what is asked for instead of the last part of the path.
    init(_ url: WebSocketURL, beside name: String? = nil) throws(CommandFailure) {
        guard !url.isSecure else {
            throw CommandFailure(
                "top speaks plain http: bring the server's port here, as with ssh -L 3000:localhost:3000")
        }
        guard url.unixPath == nil else { throw CommandFailure("top speaks http to a host and a port") }
        self.url = url
        let target = url.target == "/" ? "/metrics" : url.target
        if let name {
            let path = target.prefix { $0 != "?" }
            self.path = path[...(path.lastIndex(of: "/") ?? path.startIndex)] + name
        } else {
            path = target
        }
        place = "\(url.hostname.contains(":") ? "[\(url.hostname)]" : url.hostname):\(url.port)"
    }

    private static let queue = DispatchQueue(label: "page requests")
    /// For each step of the exchange, and for all of it.
    private static let patience = timeval(tv_sec: 5, tv_usec: 0)
    /// A server's page has some KiB for each loop; whatever sends more, or never ends, is none.
    private static let longestAnswer = 16 << 20

    /// The body of the answer, on a thread that may wait for it.
    func get() async throws -> String {
        let result: Result<String, CommandFailure> = await withCheckedContinuation { continuation in
            Self.queue.async {
                do throws(CommandFailure) {
                    continuation.resume(returning: .success(try body(of: try exchange())))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }

    private func body(of answer: String) throws(CommandFailure) -> String {
        guard answer.hasPrefix("HTTP/1."), let end = answer.firstRange(of: "\r\n\r\n") else {
            throw CommandFailure("\(place) does not answer as a web server does")
        }
        let status = answer.split(separator: " ", maxSplits: 2).dropFirst().first ?? ""
        switch status {
        case "200": return String(answer[end.upperBound...])
        case "403": throw CommandFailure("\(place) shows its metrics to its own machine alone: run top there")
        default: throw CommandFailure("\(place) answers \(status) at \(path): is that where its metrics are?")
        }
    }

    private func exchange() throws(CommandFailure) -> String {
        let socket = try connect()
        defer { close(socket) }
        let request = "GET \(path) HTTP/1.1\r\nHost: \(place)\r\nConnection: close\r\n\r\n"
        guard SystemFile.write(Array(request.utf8), to: socket) else { throw gone() }
        let end = ContinuousClock.now + .seconds(Self.patience.tv_sec)
        var answer: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            // Safe: the pointer is used during the call only.
            let count = unsafe recv(socket, &bytes, bytes.count, 0)
            if count == 0 { return String(decoding: answer, as: UTF8.self) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw gone() }
            answer += bytes[..<count]
            guard answer.count <= Self.longestAnswer, ContinuousClock.now < end else {
                throw CommandFailure("\(place) sends at \(path) what does not end: is that where its metrics are?")
            }
        }
    }

    private func gone() -> CommandFailure { CommandFailure("\(place) does not answer any more") }

    private func connect() throws(CommandFailure) -> Int32 {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let failure = unsafe getaddrinfo(url.hostname, "\(url.port)", &hints, &list)
        guard failure == 0 else {
            throw CommandFailure("\(url.hostname) cannot be resolved: \(unsafe String(cString: gai_strerror(failure)))")
        }
        defer { unsafe freeaddrinfo(list) }
        var code: Int32 = 0
        var next = unsafe list
        // Safe: the list is there until it is freed, at the end of this function.
        while let address = unsafe next {
            let socket = unsafe Glibc.socket(
                address.pointee.ai_family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            var patience = Self.patience
            let size = socklen_t(MemoryLayout<timeval>.size)
            unsafe setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, size)
            unsafe setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, size)
            if unsafe Glibc.connect(socket, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0 { return socket }
            code = errno
            close(socket)
            unsafe next = address.pointee.ai_next
        }
        throw CommandFailure("cannot connect to \(place): \(unsafe String(cString: strerror(code)))")
    }
}
