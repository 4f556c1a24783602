// swift-tools-version: 6.2
import PackageDescription

// Micro-benchmarks, a package of its own so that nobody who uses Ringcast fetches what they need.
//
//     swift package --package-path Benchmarks benchmark                       all of them
//     swift package --package-path Benchmarks benchmark --filter "Frame.*"    some
//
// Quieter numbers: pin the run to a core (`taskset -c 1 …`) and leave the machine alone meanwhile. Allocations are not
// counted here (the package's interposers are switched off with its traits).

let package = Package(
    name: "benchmarks",
    dependencies: [
        .package(name: "ringcast", path: ".."),
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.0", traits: []),
    ],
    targets: [
        // `package` symbols of Ringcast are not visible here: links to the mailbox's and the topic table's own
        // files, built once more.
        .target(name: "MailboxSources", path: "Benchmarks/MailboxSources"),
        .target(name: "TopicSources", path: "Benchmarks/TopicSources"),
        .executableTarget(
            name: "RingcastBenchmarks",
            dependencies: [
                "MailboxSources",
                "TopicSources",
                .product(name: "Benchmark", package: "benchmark"),
                .product(name: "WebSocketProtocol", package: "ringcast"),
            ],
            path: "Benchmarks/RingcastBenchmarks",
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
    ],
    swiftLanguageModes: [.v6]
)
