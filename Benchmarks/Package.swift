// swift-tools-version: 6.2
import PackageDescription

// Micro-benchmarks, a package of its own so that nobody who uses Ringcast fetches what they need.
//
//     Scripts/micro-benchmarks                        all of them, against the thresholds kept in Thresholds
//     Scripts/micro-benchmarks --filter "decode.*"   some
//     Scripts/micro-benchmarks --update               writes new thresholds
//
// Quieter numbers: leave the machine alone meanwhile. Allocations are not counted here (the package's interposers are
// switched off with its traits).

let package = Package(
    name: "benchmarks",
    dependencies: [
        .package(name: "ringcast", path: "..", traits: []),
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.0", traits: []),
    ],
    targets: [
        // What is not public in Ringcast is not visible here: links to the files of the cork, the mailbox, the topic
        // table and the route tree, built once more.
        .target(name: "CorkSources", path: "Benchmarks/CorkSources"),
        .target(name: "MailboxSources", path: "Benchmarks/MailboxSources"),
        .target(name: "TopicSources", path: "Benchmarks/TopicSources"),
        .target(name: "RouteSources", path: "Benchmarks/RouteSources"),
        // The mailbox against another way into a loop, in one module with it: docs/decisions/mailbox.md.
        .executableTarget(name: "mailbox-comparison", path: "Benchmarks/MailboxComparison"),
        // What connections pay for routes: Scripts/bench/routes.
        .executableTarget(
            name: "route-server", dependencies: [.product(name: "Ringcast", package: "ringcast")],
            path: "Benchmarks/RouteServer"),
        .executableTarget(
            name: "RingcastBenchmarks",
            dependencies: [
                "CorkSources",
                "MailboxSources",
                "RouteSources",
                "TopicSources",
                .product(name: "Benchmark", package: "benchmark"),
                .product(name: "WebSocketProtocol", package: "ringcast"),
            ],
            path: "Benchmarks/RingcastBenchmarks",
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
    ],
    swiftLanguageModes: [.v6]
)
