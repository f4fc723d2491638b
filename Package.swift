// swift-tools-version: 6.2
import PackageDescription

// Sanitizer builds leave out what needs SwiftNIO, by far the longest build: the simulator, which they
// run as a process from the ordinary build, the service, and the program.
let withSimulator = Context.environment["PLIMSOLL_WITHOUT_SIMULATOR"] == nil
let simulatorProgram: [Target.Dependency] = withSimulator ? ["plimsoll-sim"] : []

let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

let cSettings: [CSetting] = [
    .define("_GNU_SOURCE"),
    .define("NDEBUG", .when(configuration: .release)),
    .headerSearchPath("src"),
    .treatAllWarnings(as: .error),
    .enableWarning("all"),
    .enableWarning("extra"),
]

let package = Package(
    name: "plimsoll",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "KubeClient", targets: ["KubeClient"]),
        .library(name: "NodeWatch", targets: ["NodeWatch"]),
        .library(name: "ImageAlerts", targets: ["ImageAlerts"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(
            url: "https://github.com/swiftlang/swift-subprocess.git", from: "1.0.2", traits: []),
        .package(url: "https://github.com/apple/swift-system.git", from: "1.8.1"),
    ],
    targets: [
        .systemLibrary(
            name: "CCurl", path: "CSupport/CCurl", pkgConfig: "libcurl",
            providers: [.apt(["libcurl4-openssl-dev"]), .brew(["curl"])]),
        .systemLibrary(
            name: "CYajl", path: "CSupport/CYajl", pkgConfig: "yajl",
            providers: [.apt(["libyajl-dev"]), .brew(["yajl"])]),
        .systemLibrary(
            name: "COpenSSL", path: "CSupport/COpenSSL", pkgConfig: "libssl",
            providers: [.apt(["libssl-dev"]), .brew(["openssl"])]),
        .target(
            name: "WatchEngine", dependencies: ["CCurl", "COpenSSL", "CYajl"],
            path: "CSupport/WatchEngine",
            sources: ["src"], publicHeadersPath: "include", cSettings: cSettings),
        .systemLibrary(
            name: "CYaml", path: "CSupport/CYaml", pkgConfig: "yaml-0.1",
            providers: [.apt(["libyaml-dev"]), .brew(["libyaml"])]),
        .systemLibrary(
            name: "CSQLite", path: "CSupport/CSQLite", pkgConfig: "sqlite3",
            providers: [.apt(["libsqlite3-dev"]), .brew(["sqlite"])]),
        .target(
            name: "KubeClient",
            dependencies: [
                "WatchEngine", "CYaml",
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: swiftSettings),
        .target(
            name: "NodeWatch", dependencies: ["KubeClient", "WatchEngine"],
            swiftSettings: swiftSettings),
        .target(
            name: "ImageAlerts", dependencies: ["COpenSSL", "CSQLite", "KubeClient", "NodeWatch"],
            swiftSettings: swiftSettings),
        // What the documentation shows, compiled and run by the tests.
        .executableTarget(
            name: "TwoHandlers", dependencies: ["KubeClient", "NodeWatch"],
            path: "docs/Examples/TwoHandlers", swiftSettings: swiftSettings),
        .executableTarget(
            name: "IngressController", dependencies: ["KubeClient", "NodeWatch"],
            path: "docs/Examples/IngressController", swiftSettings: swiftSettings),
        .executableTarget(
            name: "JSONDecoderBench", path: "Benchmarks/JSONDecoderBench",
            swiftSettings: swiftSettings),
        .executableTarget(
            name: "HandlerLatencyBench", dependencies: ["KubeClient", "NodeWatch"],
            path: "Benchmarks/HandlerLatencyBench", swiftSettings: swiftSettings),
        // Objects as JSON and protobuf, for the simulator and for what tests the decoders: it shares
        // nothing with them.
        .target(name: "ObjectEncoding", swiftSettings: swiftSettings),
        .target(
            name: "TestSupport", path: "Tests/TestSupport", swiftSettings: swiftSettings),
        .target(
            name: "StalledResolver", path: "Tests/StalledResolver", publicHeadersPath: "include",
            cSettings: cSettings),
        .testTarget(
            name: "WatchEngineTests",
            dependencies: ["WatchEngine", "ObjectEncoding", "TestSupport", "StalledResolver"]
                + simulatorProgram,
            swiftSettings: swiftSettings),
        .testTarget(
            name: "KubeClientTests",
            dependencies: ["KubeClient", "TestSupport"] + simulatorProgram,
            swiftSettings: swiftSettings),
        .testTarget(
            name: "NodeWatchTests", dependencies: ["NodeWatch", "TestSupport"] + simulatorProgram,
            swiftSettings: swiftSettings),
        .testTarget(
            name: "ImageAlertsTests", dependencies: ["ImageAlerts", "NodeWatch"],
            swiftSettings: swiftSettings),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu11
)

if withSimulator {
    package.products += [
        .executable(name: "plimsoll", targets: ["plimsoll"]),
        .executable(name: "plimsoll-sim", targets: ["plimsoll-sim"]),
    ]
    package.dependencies += [
        // HTTP servers: the service's, and with TLS the simulator's.
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
        // Of the simulator alone: other clients speak HTTP/2 with an API server.
        .package(url: "https://github.com/apple/swift-nio-http2.git", from: "1.46.0"),
    ]
    package.targets += [
        .target(
            name: "ProcessMemory", path: "CSupport/ProcessMemory", sources: ["src"],
            publicHeadersPath: "include", cSettings: cSettings),
        .target(
            name: "PlimsollService",
            dependencies: [
                "ImageAlerts", "KubeClient", "NodeWatch",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            resources: [
                .embedInCode("Page/Assets/page.css"), .embedInCode("Page/Assets/page.js"),
                .embedInCode("Page/Assets/icon.svg"),
            ],
            swiftSettings: swiftSettings),
        .executableTarget(
            name: "plimsoll",
            dependencies: [
                "KubeClient", "NodeWatch", "ImageAlerts", "PlimsollService", "ProcessMemory",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "PlimsollServiceTests",
            dependencies: ["ImageAlerts", "PlimsollService", "TestSupport"],
            swiftSettings: swiftSettings),
        .systemLibrary(
            name: "CCrypto", path: "CSupport/CCrypto", pkgConfig: "libcrypto",
            providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]),
        .target(
            name: "SimulatorCrypto", dependencies: ["CCrypto"], path: "CSupport/SimulatorCrypto",
            sources: ["src"], publicHeadersPath: "include", cSettings: cSettings),
        .target(
            name: "ClusterSimulator",
            dependencies: [
                "ObjectEncoding", "SimulatorCrypto",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: swiftSettings),
        .executableTarget(
            name: "plimsoll-sim",
            dependencies: [
                "ClusterSimulator",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: swiftSettings),
        // What a cluster lives through, and what must hold of it.
        .target(
            name: "Histories", dependencies: ["ClusterSimulator", "ImageAlerts", "NodeWatch"],
            path: "Tests/Histories", swiftSettings: swiftSettings),
        // Without sockets, threads or real time: `make simulate`.
        .executableTarget(
            name: "simulate",
            dependencies: [
                "ClusterSimulator", "Histories", "ImageAlerts", "NodeWatch", "WatchEngine",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/Simulate", swiftSettings: swiftSettings),
        // Over sockets: `make chaos`.
        .executableTarget(
            name: "chaos",
            dependencies: [
                "ClusterSimulator", "Histories", "KubeClient", "NodeWatch",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Tests/Chaos", swiftSettings: swiftSettings),
        .testTarget(
            name: "ClusterSimulatorTests",
            dependencies: ["ClusterSimulator", "ObjectEncoding", "TestSupport"],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "KubeClient", "plimsoll", "plimsoll-sim", "simulate", "chaos", "TwoHandlers",
                "IngressController", "TestSupport",
            ],
            swiftSettings: swiftSettings),
    ]
}
