import Glibc
import SystemCalls
import Testing

@testable import Reactor

/// Connections that the driver makes and takes. Where loops have io_uring, nothing else asks it for any.
@Suite final class EpollConnectTests {
    private let driver: EpollDriver
    private let listener: Int32
    private let address: ConnectAddress
    private var slotCount: UInt32 = 0

    init() throws {
        driver = try EpollDriver()
        let name = "@ringcast-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        address = try #require(ConnectAddress(unixPath: name))
        listener = Self.makeSocket(AF_UNIX)
        var storage = address.storage
        let result = unsafe withUnsafePointer(to: &storage) {
            unsafe UnsafeRawPointer($0).withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(listener, $0, address.length)
            }
        }
        #expect(result == 0)
    }

    deinit {
        close(listener)
        for slot in 0..<slotCount { driver.close(driver.state.sockets[Int(slot)].descriptor, slot: slot) }
    }

    private static func makeSocket(_ family: Int32) -> Int32 {
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        #expect(descriptor >= 0)
        return descriptor
    }

    /// Begins a connection in the next slot.
    private func connect(to address: ConnectAddress, _ family: Int32 = AF_UNIX) -> Token {
        let token = Token(.connect, generation: 1, slot: slotCount)
        slotCount += 1
        driver.connect(Self.makeSocket(family), to: address, token: token)
        return token
    }

    private func connect() -> Token { connect(to: address) }

    /// What one wait brings, as text: bytes, or an operation and its result.
    private func completions(milliseconds: UInt64 = 0) -> [String] {
        driver.wait(milliseconds: milliseconds)
        var texts: [String] = []
        while let completion = driver.nextCompletion() {
            if let buffer = completion.buffer {
                let memory = unsafe driver.memory(of: buffer)
                unsafe texts.append(String(decoding: memory.prefix(Int(completion.result)), as: UTF8.self))
                driver.giveBack(buffer)
            } else {
                texts.append("\(completion.token.operation) \(completion.result)")
            }
        }
        return texts
    }

    /// Fills the listener's queue. Returns the connect that found no room.
    private func fillQueue() throws -> Token {
        #expect(listen(listener, 0) == 0)
        for _ in 0..<8 {
            let token = connect()
            if completions() == [] { return token }
        }
        throw SystemError(EAGAIN)
    }

    @Test func `a connection is there once it is in the queue, and receives`() {
        #expect(listen(listener, 1) == 0)
        let token = connect()
        #expect(completions() == ["connect 0"] && driver.state.connects.isEmpty)
        let peer = accept(listener, nil, nil)
        #expect(SystemFile.write(Array("hello".utf8), to: peer))
        driver.receive(
            on: driver.state.sockets[Int(token.slot)].descriptor, into: .small,
            token: Token(.receive, generation: 1, slot: token.slot))
        #expect(completions() == ["hello"])
        close(peer)
        #expect(completions() == ["receive 0"])
    }

    @Test func `a connection that nobody takes fails with what the kernel says`() {
        _ = connect()
        #expect(completions() == ["connect \(-ECONNREFUSED)"] && driver.state.connects.isEmpty)
        #expect(completions() == [])
    }

    @Test func `a full queue is tried again, though nobody tells when it has room`() throws {
        _ = try fillQueue()
        #expect(completions() == [])
        close(accept(listener, nil, nil))
        // The bound is there for hanging alone: the driver looks every few milliseconds.
        var texts: [String] = []
        for _ in 0..<60 where texts.isEmpty { texts = completions(milliseconds: 60_000) }
        #expect(texts == ["connect 0"] && driver.state.connects.isEmpty)
    }

    @Test func `a connect that waits can be given up, and is not tried again`() throws {
        let token = try fillQueue()
        driver.cancel(token, answer: Token(.cancel, generation: 1, slot: token.slot))
        #expect(completions() == ["connect \(-ECANCELED)"])
        close(accept(listener, nil, nil))
        for _ in 0..<3 { #expect(completions() == []) }
        driver.cancel(token, answer: Token(.cancel, generation: 1, slot: token.slot))
        #expect(completions() == [], "what is over has no second answer")
    }

    @Test func `over TCP both sides hear of a connection, until the accept is ended`() throws {
        let socket = try ListenerSocket(ListenerConfiguration(hostname: "127.0.0.1", port: 0), loopCount: 1)
        defer { socket.close() }
        let server = try #require(ConnectAddress(host: "127.0.0.1", port: UInt16(socket.address.port)))
        let accept = Token(.accept, slot: 0)
        driver.accept(on: socket.descriptors[0], token: accept)
        /// Waits for two answers, however many waits they take, and closes what was accepted.
        func both() -> [String] {
            var texts: [String] = []
            for _ in 0..<60 where texts.count < 2 {
                driver.wait(milliseconds: 1_000)
                while let completion = driver.nextCompletion() {
                    let isAccept = completion.token.operation == .accept
                    texts.append(isAccept && completion.result >= 0 ? "accepted" : "connect \(completion.result)")
                    if isAccept { close(completion.result) }
                }
            }
            return texts.sorted()
        }
        for _ in 0..<2 {
            _ = connect(to: server, AF_INET)
            #expect(both() == ["accepted", "connect 0"])
        }
        driver.cancel(accept, answer: Token(.acceptCancel, slot: 0))
        #expect(completions() == ["accept \(-ECANCELED)"])
        driver.cancel(accept, answer: Token(.acceptCancel, slot: 0))
        _ = connect(to: server, AF_INET)
        #expect(completions(milliseconds: 60_000) == ["connect 0"], "and nobody is accepted")
        driver.accept(on: socket.descriptors[0], token: accept)
        let late = completions(milliseconds: 60_000)
        #expect(late.count == 1 && late[0].hasPrefix("accept ") && !late[0].contains("-"))
        late.compactMap { Int32($0.dropFirst("accept ".count)) }.forEach { close($0) }
    }
}
