// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
]
/// `Lifetimes` is needed to write lifetime annotations, not to use what carries them: users' targets need no flag.
let library = strict + [.enableExperimentalFeature("Lifetimes")]

let tool = TargetDependencyCondition.when(traits: ["CommandLineTool"])

let package = Package(
    name: "ringcast",
    products: [
        .library(name: "Ringcast", targets: ["Ringcast"]),
        .library(name: "RingcastJSON", targets: ["RingcastJSON"]),
        .library(name: "RingcastCluster", targets: ["RingcastCluster"]),
        .library(name: "BackplaneTesting", targets: ["BackplaneTesting"]),
        .library(name: "RingcastTesting", targets: ["RingcastTesting"]),
        .library(name: "Reactor", targets: ["Reactor"]),
        .library(name: "WebSocketProtocol", targets: ["WebSocketProtocol"]),
        .library(name: "RingcastMetrics", targets: ["RingcastMetrics"]),
        .library(name: "RingcastTracing", targets: ["RingcastTracing"]),
        .executable(name: "ringcast", targets: ["RingcastCLI"]),
    ],
    // What a package that depends on this one can leave out, with `traits: []`: neither fetched nor compiled then.
    traits: [
        .default(enabledTraits: ["CommandLineTool", "ServiceLifecycle", "Metrics", "Tracing"]),
        .trait(
            name: "CommandLineTool",
            description: "What the tool `ringcast` stands on. Without it only the libraries build."),
        .trait(name: "ServiceLifecycle", description: "A Server is a Service of swift-service-lifecycle."),
        .trait(name: "Metrics", description: "RingcastMetrics hands a server's metrics to swift-metrics."),
        .trait(name: "Tracing", description: "RingcastTracing makes spans with swift-distributed-tracing."),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
    ],
    targets: [
        // The allocator's figures and settings, which Swift's Glibc module leaves out.
        .systemLibrary(name: "CMalloc"),
        // Linux besides io_uring: errors, wake-ups, socket pairs, processors, random bytes; what every driver needs.
        .target(name: "CSystemCalls"),
        .target(name: "SystemCalls", dependencies: ["CSystemCalls"], swiftSettings: library),
        // The kernel's interfaces: epoll, which Swift's Glibc module leaves out, and io_uring.
        .systemLibrary(name: "CEpoll"),
        .systemLibrary(name: "CLiburing", pkgConfig: "liburing", providers: [.apt(["liburing-dev"])]),
        .target(name: "CIOUring", dependencies: ["CLiburing", "CSystemCalls"]),
        .target(name: "IOUring", dependencies: ["CIOUring", "SystemCalls", "CSystemCalls"], swiftSettings: library),
        // Loops and connections, plain and over TLS.
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .target(
            name: "Reactor", dependencies: ["IOUring", "SystemCalls", "CSystemCalls", "CEpoll", "COpenSSL"],
            swiftSettings: library),
        // A kernel, a network and a clock in memory: Reactor's third driver, and a loop that is turned by hand.
        .target(
            name: "SimulatedKernel", dependencies: ["Reactor", "SystemCalls", "CSystemCalls"], swiftSettings: library),
        // Pure layers: bytes and events in, bytes and events out.
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(
            name: "HTTPProtocol", dependencies: [.product(name: "HTTPTypes", package: "swift-http-types")],
            swiftSettings: library),
        .target(name: "WebSocketProtocol", dependencies: ["CZlib"], swiftSettings: library),
        .systemLibrary(name: "CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
        .target(name: "HTTP2Protocol", dependencies: ["CNghttp2"], swiftSettings: library),
        .target(name: "PubSub", swiftSettings: library),
        // What users import, and the tool.
        .target(
            name: "Ringcast",
            dependencies: [
                "Reactor", "SystemCalls", "HTTPProtocol", "HTTP2Protocol", "WebSocketProtocol", "PubSub",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(
                    name: "ServiceLifecycle", package: "swift-service-lifecycle",
                    condition: .when(traits: ["ServiceLifecycle"])),
            ],
            swiftSettings: library),
        // Codable values as messages and bodies: the only library that imports FoundationEssentials.
        .target(name: "RingcastJSON", dependencies: ["Ringcast"], swiftSettings: library),
        // Topics of several servers over an engine, whose protocols need no more than Reactor's loops.
        .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),
        .target(
            name: "RingcastCluster",
            dependencies: ["Ringcast", "Reactor", "HTTPProtocol", "SystemCalls", "CHiredis"],
            swiftSettings: library),
        // Users' tests: servers and clients on the simulated kernel.
        .target(
            name: "RingcastTesting",
            dependencies: [
                "Ringcast", "Reactor", "SimulatedKernel", "HTTPProtocol", "WebSocketProtocol",
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            swiftSettings: library),
        // Whether a backplane does what it has to, for those who write one.
        .target(
            name: "BackplaneTesting", dependencies: ["Ringcast", "RingcastTesting", "HTTPProtocol"],
            swiftSettings: strict),
        // What the core does not need to know: empty without their traits.
        .target(
            name: "RingcastMetrics",
            dependencies: [
                "Ringcast",
                .product(name: "CoreMetrics", package: "swift-metrics", condition: .when(traits: ["Metrics"])),
            ],
            swiftSettings: strict),
        .target(
            name: "RingcastTracing",
            dependencies: [
                "Ringcast", .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Tracing", package: "swift-distributed-tracing", condition: .when(traits: ["Tracing"])),
            ],
            swiftSettings: strict),
        .target(
            name: "LoadTesting",
            dependencies: [
                "Ringcast", "SystemCalls", .product(name: "Histogram", package: "hdrhistogram-swift", condition: tool),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: library),
        .executableTarget(
            name: "RingcastCLI",
            dependencies: [
                "Ringcast", "RingcastCluster", "LoadTesting", "SystemCalls", "CMalloc", "COpenSSL",
                .product(name: "ArgumentParser", package: "swift-argument-parser", condition: tool),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle", condition: tool),
            ],
            swiftSettings: strict),

        // What `Scripts/instructions` counts.
        .executableTarget(
            name: "instruction-count",
            dependencies: ["Ringcast", "Reactor", "SystemCalls", "CSystemCalls", "COpenSSL"],
            path: "Benchmarks/Instructions", swiftSettings: strict),

        // Examples: each a program of one screen.
        .executableTarget(name: "tcp-echo", dependencies: ["Reactor"], path: "Examples/TCPEcho", swiftSettings: strict),
        .executableTarget(name: "chat", dependencies: ["Ringcast"], path: "Examples/Chat", swiftSettings: strict),
        .executableTarget(
            name: "echo-client", dependencies: ["Ringcast"], path: "Examples/EchoClient", swiftSettings: strict),
        .executableTarget(
            name: "many-clients", dependencies: ["Ringcast"], path: "Examples/ManyClients", swiftSettings: strict),
        .executableTarget(name: "ticker", dependencies: ["Ringcast"], path: "Examples/Ticker", swiftSettings: strict),
        .executableTarget(
            name: "news", dependencies: ["Ringcast", "RingcastJSON"], path: "Examples/News", swiftSettings: strict),
        .executableTarget(name: "follow", dependencies: ["Ringcast"], path: "Examples/Follow", swiftSettings: strict),
        .executableTarget(
            name: "cluster-chat", dependencies: ["Ringcast", "RingcastCluster"], path: "Examples/ClusterChat",
            swiftSettings: strict),
        .executableTarget(
            name: "dashboard", dependencies: ["Ringcast", "RingcastJSON"], path: "Examples/Dashboard",
            swiftSettings: strict),
        // One that is an application, with its tests beside it.
        .executableTarget(
            name: "rooms",
            dependencies: [
                "Ringcast", "RingcastJSON",
                .product(
                    name: "ServiceLifecycle", package: "swift-service-lifecycle",
                    condition: .when(traits: ["ServiceLifecycle"])),
                .product(
                    name: "UnixSignals", package: "swift-service-lifecycle",
                    condition: .when(traits: ["ServiceLifecycle"])),
            ],
            path: "Examples/Rooms", exclude: ["Tests"], swiftSettings: strict),
        .testTarget(
            name: "RoomsTests", dependencies: ["rooms", "Ringcast", "RingcastJSON", "RingcastTesting"],
            path: "Examples/Rooms/Tests", swiftSettings: strict),

        .testTarget(
            name: "IOUringTests", dependencies: ["IOUring", "CIOUring", "SystemCalls", "CSystemCalls"],
            swiftSettings: library),
        .target(
            name: "ReactorTesting", dependencies: ["SimulatedKernel", "Reactor", "SystemCalls", "COpenSSL"],
            path: "Tests/ReactorTesting",
            swiftSettings: library),
        .testTarget(
            name: "ReactorTests",
            dependencies: ["Reactor", "ReactorTesting", "IOUring", "SystemCalls", "CSystemCalls"],
            swiftSettings: library),
        .testTarget(name: "HTTPProtocolTests", dependencies: ["HTTPProtocol"], swiftSettings: library),
        .target(
            name: "HTTP2Testing", dependencies: ["HTTP2Protocol", "CNghttp2"], path: "Tests/HTTP2Testing",
            swiftSettings: library),
        .testTarget(
            name: "HTTP2ProtocolTests", dependencies: ["HTTP2Protocol", "HTTPProtocol", "HTTP2Testing"],
            swiftSettings: library),
        .testTarget(name: "WebSocketProtocolTests", dependencies: ["WebSocketProtocol"], swiftSettings: library),
        .testTarget(name: "PubSubTests", dependencies: ["PubSub"], swiftSettings: library),
        .testTarget(
            name: "RingcastTestingTests", dependencies: ["RingcastTesting", "RingcastJSON", "Ringcast"],
            swiftSettings: strict),
        .testTarget(
            name: "RingcastJSONTests", dependencies: ["RingcastJSON", "RingcastTesting", "Ringcast"],
            swiftSettings: strict),
        .testTarget(
            name: "RingcastClusterTests",
            dependencies: [
                "RingcastCluster", "BackplaneTesting", "SimulatedKernel", "ReactorTesting", "RingcastTesting",
                "Ringcast", "Reactor",
            ],
            swiftSettings: library),
        // The repository's own rules.
        .testTarget(name: "TidyTests", swiftSettings: strict),
        .testTarget(name: "LoadTestingTests", dependencies: ["LoadTesting", "Ringcast"], swiftSettings: library),
        .testTarget(
            name: "RingcastMetricsTests",
            dependencies: [
                "RingcastMetrics", "Ringcast",
                .product(name: "MetricsTestKit", package: "swift-metrics", condition: .when(traits: ["Metrics"])),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "RingcastTracingTests",
            dependencies: [
                "RingcastTracing", "Ringcast", "ReactorTesting",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(
                    name: "InMemoryTracing", package: "swift-distributed-tracing",
                    condition: .when(traits: ["Tracing"])),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "RingcastTests",
            dependencies: [
                "Ringcast", "RingcastTesting", "ReactorTesting", "HTTP2Testing", "SystemCalls", "CMalloc",
            ],
            swiftSettings: library),
    ],
    swiftLanguageModes: [.v6]
)
