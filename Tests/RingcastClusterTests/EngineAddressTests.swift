import Ringcast
import Testing

@testable import RingcastCluster

@Suite struct EngineAddressTests {
    private func address(_ url: String) throws(ServerError) -> EngineAddress {
        try EngineAddress(url, schemes: ["redis": false, "rediss": true], port: 6379)
    }

    @Test func `host, port, user and password`() throws {
        let plain = try address("redis://cache")
        #expect(plain.host == "cache" && plain.port == 6379 && !plain.isSecure)
        #expect(plain.user == nil && plain.password == nil)
        let full = try address("rediss://ann:p%40ss%3aword@[::1]:7000/")
        #expect(full.host == "::1" && full.port == 7000 && full.isSecure)
        #expect(full.user == "ann" && full.password == "p@ss:word")
        let password = try address("redis://:secret@10.0.0.1:1")
        #expect(password.user == nil && password.password == "secret" && password.place == "10.0.0.1:1")
    }

    @Test(arguments: [
        ("http://cache", "the cluster's URL has to begin with redis:// or rediss://"),
        ("redis://", "the cluster's URL names no host"),
        ("redis://:1", "the cluster's URL names no host"),
        ("redis://cache:0", "the port in the cluster's URL is none: 1 to 65535"),
        ("redis://cache:99999", "the port in the cluster's URL is none: 1 to 65535"),
        ("redis://user:secret", "the port in the cluster's URL is none: 1 to 65535"),
        ("redis://cache/0", "the cluster's URL names a host, and no path: redis://user:password@host:port"),
        (
            "redis://secret@cache",
            "before the @ of the cluster's URL stand a user, a colon and a password, percent-encoded"
        ),
        (
            "redis://a:%+1@cache",
            "before the @ of the cluster's URL stand a user, a colon and a password, percent-encoded"
        ),
    ])
    func `what is wrong is said without the password`(_ url: String, _ sentence: String) {
        #expect(throws: ServerError(sentence, code: .invalidConfiguration)) { try address(url) }
    }
}
