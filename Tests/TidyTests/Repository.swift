import Foundation

/// The repository that this test was compiled from.
enum Repository {
    static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static let sources = swiftFiles(in: "Sources")
    static let tests = swiftFiles(in: "Tests")
    static let examples = swiftFiles(in: "Examples")
    static let benchmarks = swiftFiles(in: "Benchmarks")
    static let fuzzers = swiftFiles(in: "Fuzzing/Fuzzers")
    static let scripts = files(in: "Scripts") + files(in: ".ci")
    static let documentation = files(in: "docs").filter { $0.path.hasSuffix(".md") }
    static let readme = file("README.md")
    static let contributing = file("CONTRIBUTING.md")
    static let manifest = file("Package.swift")
    static let vulnerabilities = file("docs/vulnerabilities.md")

    static var allSwift: [SourceFile] { sources + tests + examples + benchmarks + fuzzers + [manifest] }
    /// Everything but the tool.
    static var libraries: [SourceFile] { sources.filter { !$0.path.hasPrefix("Sources/RingcastCLI/") } }

    /// What git keeps under this name; nothing where there is no git or no repository.
    static func tracked(_ name: String) throws -> String {
        let git = Process()
        let output = Pipe()
        git.executableURL = URL(filePath: "/usr/bin/env")
        git.arguments = ["git", "-C", root.path, "ls-files", name]
        git.standardOutput = output
        git.standardError = FileHandle.nullDevice
        try git.run()
        let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
        git.waitUntilExit()
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func swiftFiles(in folder: String) -> [SourceFile] { files(in: folder).filter(\.isSwift) }

    private static func files(in folder: String) -> [SourceFile] {
        let paths = FileManager.default.enumerator(atPath: root.appending(path: folder).path)
        return (paths?.allObjects as? [String] ?? []).sorted()
            .filter { !$0.contains("__pycache__") && !$0.contains(".build/") }
            .map { "\(folder)/\($0)" }
            .filter { !isFolder($0) }
            .map(file)
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        _ = unsafe FileManager.default.fileExists(atPath: root.appending(path: path).path, isDirectory: &isFolder)
        return isFolder.boolValue
    }

    private static func file(_ path: String) -> SourceFile {
        let url = root.appending(path: path)
        let bytes = (try? Data(contentsOf: url)) ?? Data()
        return SourceFile(
            path: path, text: String(decoding: bytes, as: UTF8.self),
            isExecutable: FileManager.default.isExecutableFile(atPath: url.path))
    }
}
