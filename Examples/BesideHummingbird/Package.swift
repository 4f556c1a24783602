// swift-tools-version: 6.2
import PackageDescription

// A package of its own: Ringcast does not depend on Hummingbird.
let package = Package(
    name: "beside-hummingbird",
    dependencies: [
        .package(name: "ringcast", path: "../..", traits: ["ServiceLifecycle"]),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .executableTarget(
            name: "beside-hummingbird",
            dependencies: [
                .product(name: "Ringcast", package: "ringcast"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            path: "Sources")
    ]
)
