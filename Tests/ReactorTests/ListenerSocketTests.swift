import Glibc
import SystemCalls
import Testing

@testable import Reactor

@Suite struct ListenerSocketTests {
    @Test(arguments: [-1, 65_536, 70_000])
    func `what is no port is refused, and not cut to 16 bits`(port: Int) {
        let error = ReactorError("\(port) is not a port: choose 1 to 65535, or 0 for a free one")
        #expect(throws: error) { try ListenerSocket(.init(hostname: "127.0.0.1", port: port), loopCount: 1) }
    }

    // MARK: sockets that were handed over

    private func refusal(of descriptor: Int32) -> String? {
        do throws(ReactorError) {
            _ = try ListenerSocket(.init(.inherited(descriptor: descriptor)), loopCount: 2)
            return nil
        } catch {
            return error.description
        }
    }

    private func socket(_ type: __socket_type, listens: Bool = false) -> Int32 {
        let descriptor = Glibc.socket(AF_INET, Int32(type.rawValue), 0)
        if listens { listen(descriptor, 1) }
        return descriptor
    }

    @Test func `a descriptor that cannot be listened on is refused in one sentence, and left alone`() {
        #expect(refusal(of: 1 << 20) == "descriptor 1048576 cannot be listened on: it is not open")
        let file = unsafe open("/dev/null", O_RDONLY)
        #expect(refusal(of: file)?.hasSuffix("it is no socket") == true)
        let datagrams = socket(SOCK_DGRAM)
        #expect(refusal(of: datagrams)?.contains("it is no stream socket") == true)
        let silent = socket(SOCK_STREAM)
        #expect(refusal(of: silent)?.contains("it does not listen") == true)
        for descriptor in [file, datagrams, silent] { #expect(close(descriptor) == 0, "it is still open") }
    }

    @Test func `of a socket that was handed over one loop has all`() throws {
        let descriptor = socket(SOCK_STREAM, listens: true)
        let listener = try ListenerSocket(.init(.inherited(descriptor: descriptor)), loopCount: 3, onlyLoop: 1)
        #expect(listener.descriptors == [-1, descriptor, -1] && listener.address.hostname == "0.0.0.0")
        #expect(listener.address.port > 0 && listener.address.path == nil)
        let shares = (0..<3).map { listener.share(of: $0, tls: nil) }
        #expect(shares.map(\.isClosed) == [true, false, true] && shares[1].handsOut)
        #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
        var (before, after) = (stat(), stat())
        #expect(unsafe fstat(descriptor, &before) == 0)
        listener.close()
        // A test beside this one may have got the number since.
        #expect(unsafe fstat(descriptor, &after) == -1 || after.st_ino != before.st_ino)
    }

    @Test func `one descriptor is not for two listeners`() {
        let descriptor = socket(SOCK_STREAM, listens: true)
        defer { close(descriptor) }
        let listener = ListenerConfiguration(.inherited(descriptor: descriptor))
        let error = ReactorError(
            "descriptor \(descriptor) cannot be listened on: it is given to two listeners", .cannotListen)
        #expect(throws: error) {
            try LoopGroup(configuration: .init(loops: .count(1), listeners: [listener, listener])) { _ in Echo() }
        }
        #expect(fcntl(descriptor, F_GETFD) >= 0)
    }

    @Test func `what is said goes to a socket by its path or its abstract name, or comes back as an error`() throws {
        let name = "@ringcast-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        let reader = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(reader) }
        let address = try UnixAddress(abstract: String(name.dropFirst()))
        let isBound = unsafe address.withPointer { pointer, length in
            unsafe bind(reader, pointer.assumingMemoryBound(to: sockaddr.self), length)
        }
        #expect(isBound == 0)
        #expect(try NotificationSocket(name: name).send("READY=1") == nil)
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = unsafe recv(reader, &bytes, bytes.count, 0)
        #expect(String(decoding: bytes.prefix(count), as: UTF8.self) == "READY=1")
        #expect(try NotificationSocket(name: "/nowhere/at/all").send("READY=1") == .notFound)
        for name in ["notify", "", "vsock:2:1", "/" + String(repeating: "x", count: 107)] {
            #expect(throws: ReactorError.self) { try NotificationSocket(name: name) }
        }
    }
}
