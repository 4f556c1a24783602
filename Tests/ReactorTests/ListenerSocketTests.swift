import Testing

@testable import Reactor

@Suite struct ListenerSocketTests {
    @Test(arguments: [-1, 65_536, 70_000])
    func `what is no port is refused, and not cut to 16 bits`(port: Int) {
        let error = ReactorError("\(port) is not a port: choose 1 to 65535, or 0 for a free one")
        #expect(throws: error) { try ListenerSocket(.init(host: "127.0.0.1", port: port), loopCount: 1) }
    }
}
