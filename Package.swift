// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "databudgie",
    products: [
        // With the modules whose types its public API names: errors, connections, files.
        .library(name: "Databudgie", targets: ["Databudgie", "Postgres", "Storage", "Compression"]),
        .executable(name: "databudgie", targets: ["DatabudgieCLI"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    ],
    targets: [
        .systemLibrary(name: "CLibpq", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CISAL", pkgConfig: "libisal", providers: [.apt(["libisal-dev"])]),
        .systemLibrary(name: "CExpat", pkgConfig: "expat", providers: [.apt(["libexpat1-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),

        .target(name: "XML", dependencies: ["CExpat"]),
        .target(name: "Postgres", dependencies: ["CLibpq"]),
        .target(
            name: "Storage",
            dependencies: [
                "XML",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        .target(name: "Compression", dependencies: ["CISAL", "CZstd"]),
        .target(
            name: "Databudgie",
            dependencies: [
                "Compression", "Postgres", "Storage",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "TOMLKit", package: "TOMLKit"),
                .product(name: "Yams", package: "Yams"),
            ]
        ),
        .executableTarget(
            name: "DatabudgieCLI",
            dependencies: [
                "Databudgie",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ]
        ),

        .target(
            name: "DatabudgieTestSupport",
            dependencies: [
                "Postgres", "Storage",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        .testTarget(name: "PostgresTests", dependencies: ["CLibpq", "Postgres", "DatabudgieTestSupport"]),
        .testTarget(
            name: "StorageTests",
            dependencies: [
                "Storage", "DatabudgieTestSupport", "XML",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        .testTarget(name: "CompressionTests", dependencies: ["Compression"]),
        .testTarget(
            name: "DatabudgieTests",
            dependencies: ["Compression", "Databudgie", "DatabudgieTestSupport", "Postgres", "Storage"]
        ),
        .testTarget(
            name: "RunTests",
            dependencies: [
                "Compression", "Databudgie", "DatabudgieTestSupport", "Postgres", "Storage",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Subprocess", package: "swift-subprocess"),
            ]
        ),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "Databudgie", "DatabudgieCLI", "DatabudgieTestSupport", "Postgres", "Storage",
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            exclude: ["Snapshots", "Transcripts"]
        ),
    ],
    swiftLanguageModes: [.v6]
)

// What scripts/fuzz builds; the variable is the path of libFuzzer's library.
let fuzzer = Context.environment["DATABUDGIE_FUZZER"]
if let fuzzer {
    package.targets += [
        .systemLibrary(name: "CFuzz", path: "Tests/Fuzz/CFuzz", providers: [.apt(["zlib1g-dev"])]),
        .executableTarget(
            name: "Fuzz",
            dependencies: [
                "CFuzz", "CZstd", "Compression", "Databudgie", "Postgres", "Storage",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            path: "Tests/Fuzz/Targets",
            linkerSettings: [.unsafeFlags([fuzzer])]
        ),
    ]
}

// One set of rules for every Swift target of ours.
let upcomingFeatures = [
    "ExistentialAny", "MemberImportVisibility", "InternalImportsByDefault", "NonisolatedNonsendingByDefault",
]
let targetsThatCallC: Set = ["Postgres", "Compression", "XML"]
// Places at which tests end the program; release builds have no trace of them.
let targetsWithFailPoints: Set = ["Databudgie", "DatabudgieCLI", "CommandTests"]
for target in package.targets where target.type != .system {
    target.swiftSettings = upcomingFeatures.map { .enableUpcomingFeature($0) } + [.treatAllWarnings(as: .error)]
    if targetsThatCallC.contains(target.name) {
        target.swiftSettings?.append(.strictMemorySafety())
    }
    if targetsWithFailPoints.contains(target.name) {
        target.swiftSettings?.append(.define("DATABUDGIE_FAIL_POINTS", .when(configuration: .debug)))
    }
    if fuzzer != nil, ["Compression", "Databudgie", "Fuzz", "Postgres", "Storage", "XML"].contains(target.name) {
        target.swiftSettings?.append(.unsafeFlags(["-sanitize=fuzzer", "-O"]))
    }
}
