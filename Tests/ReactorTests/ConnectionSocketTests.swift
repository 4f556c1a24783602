import Glibc
import ReactorTesting
import Testing

@testable import Reactor

/// What the kernel is told of a connection that was accepted.
@Suite(.blocking) struct ConnectionSocketTests {
    /// Tells the peer the value of `TCP_NODELAY` and closes.
    private final class DelayTeller: ConnectionHandler {
        func opened(_ connection: Connection) {
            var value: Int32 = -1
            var length = socklen_t(MemoryLayout<Int32>.size)
            _ = unsafe getsockopt(
                connection.slot.state.descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &value, &length)
            connection.send("no delay: \(value)")
            connection.close()
        }

        func received(_ bytes: inout MutableRawSpan, on connection: Connection) -> Int { bytes.byteCount }
    }

    @Test(arguments: [ConnectionPlacement.kernel, .balanced])
    func `what is sent does not wait for what was sent before`(placement: ConnectionPlacement) throws {
        let group = try LoopGroup(
            configuration: LoopGroupConfiguration(
                loops: .count(2), pinsThreads: false, listeners: [.init(hostname: "127.0.0.1", port: 0)],
                placement: placement)
        ) { _ in DelayTeller() }
        group.start()
        for _ in 0..<4 {
            let client = TCPClient(port: group.addresses[0].port)
            #expect(String(decoding: client.receiveToEnd() ?? [], as: UTF8.self) == "no delay: 1")
            client.end()
        }
        group.stop()
        group.wait()
    }
}
