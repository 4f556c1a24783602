// swift-tools-version: 6.2
import PackageDescription

// Fuzzers, a package of its own: flags that nobody may force on a package's users are needed here. It builds the
// library's own sources (links lead to them), instrumented, with assertions, and with what is internal in sight.
//
//     Scripts/fuzz TARGET|all SECONDS

let language: [SwiftSetting] = [
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableExperimentalFeature("Lifetimes"),
]
let instrumented: [SwiftSetting] =
    language + [.unsafeFlags(["-sanitize=fuzzer,address", "-enable-testing", "-assert-config", "Debug"])]
// What checks is no part of what is explored: its branches would only be in the way.
let checking: [SwiftSetting] =
    language + [.unsafeFlags(["-sanitize=address", "-enable-testing", "-assert-config", "Debug"])]
// Who hears of comparisons of one and of two bytes: see `Comparisons.swift`.
let unheard = ["cmp1", "cmp2", "const_cmp1", "const_cmp2"]
    .flatMap { ["-Xlinker", "--wrap=__sanitizer_cov_trace_\($0)"] }
let linked: [LinkerSetting] = [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"] + unheard)]

let package = Package(
    name: "fuzzing",
    dependencies: [
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    ],
    targets: [
        .target(name: "CSystemCalls", path: "Sources/CSystemCalls"),
        .target(
            name: "SystemCalls", dependencies: ["CSystemCalls"], path: "Sources/SystemCalls",
            swiftSettings: instrumented),
        .systemLibrary(name: "CEpoll", path: "Sources/CEpoll"),
        .systemLibrary(name: "CHiredis", path: "Sources/CHiredis", pkgConfig: "hiredis"),
        .systemLibrary(name: "CLiburing", path: "Sources/CLiburing", pkgConfig: "liburing"),
        .systemLibrary(name: "COpenSSL", path: "Sources/COpenSSL", pkgConfig: "openssl"),
        .systemLibrary(name: "CZlib", path: "Sources/CZlib", pkgConfig: "zlib"),
        .target(name: "CIOUring", dependencies: ["CLiburing", "CSystemCalls"], path: "Sources/CIOUring"),
        .target(
            name: "IOUring", dependencies: ["CIOUring", "SystemCalls", "CSystemCalls"], path: "Sources/IOUring",
            swiftSettings: instrumented),
        .target(
            name: "Reactor", dependencies: ["IOUring", "SystemCalls", "CSystemCalls", "CEpoll", "COpenSSL"],
            path: "Sources/Reactor", swiftSettings: instrumented),
        .target(
            name: "HTTPProtocol", dependencies: [.product(name: "HTTPTypes", package: "swift-http-types")],
            path: "Sources/HTTPProtocol", swiftSettings: instrumented),
        .target(
            name: "WebSocketProtocol", dependencies: ["CZlib"], path: "Sources/WebSocketProtocol",
            swiftSettings: instrumented),
        .systemLibrary(name: "CNghttp2", path: "Sources/CNghttp2", pkgConfig: "libnghttp2"),
        .target(
            name: "HTTP2Protocol", dependencies: ["CNghttp2"], path: "Sources/HTTP2Protocol",
            swiftSettings: instrumented),
        .target(name: "PubSub", path: "Sources/PubSub", swiftSettings: instrumented),
        .target(
            name: "Ringcast",
            dependencies: [
                "Reactor", "SystemCalls", "HTTPProtocol", "HTTP2Protocol", "WebSocketProtocol", "PubSub",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/Ringcast", swiftSettings: instrumented),
        .target(
            name: "RingcastCluster", dependencies: ["Ringcast", "Reactor", "HTTPProtocol", "SystemCalls", "CHiredis"],
            path: "Sources/RingcastCluster", swiftSettings: instrumented),
        .target(
            name: "LoadTesting",
            dependencies: [
                "Ringcast", "SystemCalls", .product(name: "Histogram", package: "hdrhistogram-swift"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/LoadTesting",
            swiftSettings: instrumented + [.define("CommandLineTool")]),
        .target(
            name: "SimulatedKernel", dependencies: ["Reactor", "SystemCalls", "CSystemCalls"],
            path: "Sources/SimulatedKernel", swiftSettings: language),

        // What all fuzzers have in common.
        .target(name: "FuzzSupport", path: "Fuzzers/Support", swiftSettings: language),
        // The layers without I/O.
        .executableTarget(
            name: "protocol-fuzzer",
            dependencies: [
                "FuzzSupport", "HTTPProtocol", "WebSocketProtocol", "PubSub", "CZlib",
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            path: "Fuzzers/Protocols", swiftSettings: checking, linkerSettings: linked),
        // What stands on a loop.
        .executableTarget(
            name: "server-fuzzer",
            dependencies: [
                "FuzzSupport", "LoadTesting", "Ringcast", "RingcastCluster", "Reactor", "SimulatedKernel",
                "HTTPProtocol", "WebSocketProtocol",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Fuzzers/Servers", swiftSettings: checking, linkerSettings: linked),
    ],
    swiftLanguageModes: [.v6]
)
