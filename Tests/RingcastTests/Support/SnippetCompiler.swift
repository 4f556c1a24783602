import Foundation

/// Compiles snippets against the modules that these tests were built with, up to the compiler's checks of lifetimes,
/// all in one go: most of its time is for starting and for reading modules.
struct SnippetCompiler {
    private let folder: URL
    private let preamble: String

    init(importing modules: [String]) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "ringcast-snippets-\(UUID().uuidString)")
        preamble = modules.map { "import \($0)\n" }.joined()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    /// Adds a snippet: what may stand in a function, which may wait where `isAsync` says so. What it imports itself is
    /// put in front of the function. Functions of its own, which are a file's where it is used, are made `@Sendable`,
    /// as those are; `@Test`, which cannot be within one, and a `@testable import` are taken off.
    func add(_ code: String, as number: Int, isAsync: Bool = false) throws {
        let lines = code.components(separatedBy: "\n")
        let imports = lines.filter { $0.hasPrefix("import ") }.map { $0 + "\n" }.joined()
        let rest = lines.filter { !$0.hasPrefix("import ") && !$0.hasPrefix("@testable import ") }.map { line in
            line.hasPrefix("func ") || line.hasPrefix("@Test func ")
                ? "@Sendable \(line.dropFirst(line.hasPrefix("@") ? 6 : 0))" : line
        }.joined(separator: "\n")
        let effects = isAsync ? "async throws" : "throws"
        let text = preamble + imports + "func snippet\(number)() \(effects) {\n\(rest)\n}\n"
        try Data(text.utf8).write(to: folder.appending(path: "\(number).swift"))
    }

    /// The errors of each snippet that has some, each error once. Removes the snippets.
    ///
    /// The compiler looks at lifetimes only when all types are right, so that it is asked again without those snippets
    /// that have an error, until there are none.
    func errors() throws -> [Int: Set<String>] {
        defer { try? FileManager.default.removeItem(at: folder) }
        var errors: [Int: Set<String>] = [:]
        while true {
            let (output, status) = try compile()
            let found = output.split(separator: "\n").compactMap(Self.error)
            if found.isEmpty {
                guard status == 0 else { throw Failure(output: output) }
                return errors
            }
            for (number, message) in found { errors[number, default: []].insert(message) }
            for number in Set(found.map(\.number)) {
                try FileManager.default.removeItem(at: folder.appending(path: "\(number).swift"))
            }
        }
    }

    struct Failure: Error {
        let output: String
    }

    /// What a line like `/tmp/…/12.swift:5:3: error: MESSAGE [#Group]` says of which snippet.
    private static func error(in line: Substring) -> (number: Int, message: String)? {
        guard let mark = line.range(of: ": error: "), let file = line[..<mark.lowerBound].range(of: ".swift:") else {
            return nil
        }
        let number = line[..<file.lowerBound].split(separator: "/").last.flatMap { Int($0) }
        let message = line[mark.upperBound...]
        let end = message.range(of: " [#")?.lowerBound ?? message.endIndex
        return number.map { ($0, String(message[..<end])) }
    }

    private func compile() throws -> (output: String, status: Int32) {
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).map { folder.path + "/" + $0 }
        let swiftc = Process()
        let pipe = Pipe()
        swiftc.executableURL = URL(filePath: "/usr/bin/env")
        swiftc.arguments =
            ["swiftc", "-emit-sil", "-wmo", "-o", "/dev/null", "-swift-version", "6", "-module-name", "Snippets"]
            + Self.moduleFolders.flatMap { ["-I", $0] } + files.sorted()
        swiftc.standardOutput = pipe
        swiftc.standardError = pipe
        try swiftc.run()
        let bytes = try pipe.fileHandleForReading.readToEnd() ?? Data()
        swiftc.waitUntilExit()
        return (String(decoding: bytes, as: UTF8.self), swiftc.terminationStatus)
    }

    /// Where the build has put the modules: beside the program that runs these tests, or, where that is the toolchain's
    /// own runner, beside the bundle that it has loaded.
    private static let moduleFolders: [String] = {
        let programs = ["/proc/self/exe"].compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: $0) }
        let maps = (try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8)) ?? ""
        let bundles = maps.split(separator: "\n").filter { $0.hasSuffix(".xctest") }
            .compactMap { line in line.firstIndex(of: "/").map { String(line[$0...]) } }
        let builds = (programs + bundles).map { URL(filePath: $0).deletingLastPathComponent() }
        guard
            let build = builds.first(where: {
                FileManager.default.fileExists(atPath: $0.appending(path: "Modules/Ringcast.swiftmodule").path)
            })
        else { return [] }
        let sources = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Sources")
        let systems = [
            "CEpoll", "CLiburing", "CIOUring/include", "CSystemCalls/include", "COpenSSL", "CZlib", "CHiredis",
            "CNghttp2",
        ]
        return [build.appending(path: "Modules").path, build.path] + systems.map { sources.appending(path: $0).path }
    }()
}
