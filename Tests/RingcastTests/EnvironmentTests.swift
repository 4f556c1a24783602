import Glibc
import Ringcast
import Testing

/// What a server takes from its process, and does to it: each test in a process of its own.
@Suite struct EnvironmentTests {
    @Test func `the port is the environment's, else 3000, unless one is given`() async {
        await #expect(processExitsWith: .success) {
            unsafe unsetenv("PORT")
            precondition(ServerConfiguration().port == 3_000)
            unsafe setenv("PORT", "4242", 1)
            precondition(ServerConfiguration().port == 4_242)
            precondition(ServerConfiguration(port: 0).port == 0)
            unsafe setenv("PORT", "no number", 1)
            precondition(ServerConfiguration().port == 3_000)
        }
    }

    @Test func `the soft limit of descriptors is raised to the hard one`() async {
        await #expect(processExitsWith: .success) {
            let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
            var limit = rlimit()
            precondition(unsafe getrlimit(resource, &limit) == 0 && limit.rlim_max > 256)
            limit.rlim_cur = 256
            precondition(unsafe setrlimit(resource, &limit) == 0)
            let server = try Server(
                configuration: .init(hostname: "127.0.0.1", port: 0, loops: .count(1), pinsThreads: false)
            ) { _ in .response(.ok) }
            precondition(server.port > 0)
            precondition(unsafe getrlimit(resource, &limit) == 0 && limit.rlim_cur == limit.rlim_max)
        }
    }
}
