import Glibc
import Ringcast
import Testing

/// What Swift can refuse it has to refuse: code that keeps what was lent does not compile.
@Suite struct MisuseTests {
    static let preamble = """
        import Ringcast
        final class Shelf: @unchecked Sendable { var text: String = "" }
        let shelf = Shelf()
        let handlers = WebSocketHandlers<Int>(
        """

    struct Snippet: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let code: String
        /// What the compiler says; nil: nothing, it compiles.
        let complaint: String?
    }

    static let snippets = [
        Snippet(
            testDescription: "a proper handler",
            code: "message: { ws, message in shelf.text = message.string; ws.send(message); ws.data += 1 })",
            complaint: nil),
        Snippet(
            testDescription: "a socket captured by a task",
            code: "open: { ws in Task { ws.send(\"late\") } })", complaint: "escapes its scope"),
        Snippet(
            testDescription: "a message captured by a task",
            code: "message: { ws, message in Task { print(message.string) } })", complaint: "escapes its scope"),
        Snippet(
            testDescription: "a socket kept in a variable",
            code: "open: { ws in kept = ws })\nnonisolated(unsafe) var kept: WebSocket<Int>?",
            complaint: "escapes its scope"),
        Snippet(
            testDescription: "a message kept in an array",
            code: "message: { ws, message in kept.append(message) })\nnonisolated(unsafe) var kept: [Message] = []",
            complaint: "Escapable"),
        Snippet(
            testDescription: "a socket captured by a closure for later",
            code: "open: { ws in later = { ws.close() } })\nnonisolated(unsafe) var later: () -> Void = {}",
            complaint: "escapes its scope"),
    ]

    @Test(arguments: snippets)
    func `code that keeps what was lent does not compile`(_ snippet: Snippet) throws {
        let output = try compile(Self.preamble + snippet.code + "\n")
        if let complaint = snippet.complaint {
            #expect(output.contains("error: "), "\(output)")
            #expect(output.contains(complaint), "\(output)")
        } else {
            #expect(!output.contains("error: "), "\(output)")
        }
    }

    @Test func `a request cannot be kept either`() throws {
        let output = try compile(
            """
            import Ringcast
            let server = try Server { request in
                Task { print(request.path) }
                return .response(.ok)
            }

            """)
        #expect(output.contains("escapes its scope"), "\(output)")
    }

    /// What the compiler, up to its lifetime checks, says of a program that imports the module under test.
    private func compile(_ code: String) throws -> String {
        let folder = "/tmp/ringcast-misuse-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        unsafe mkdir(folder, 0o700)
        defer { _ = run("rm -rf \(folder)") }
        let file = unsafe fopen(folder + "/main.swift", "w")
        unsafe fputs(code, file)
        unsafe fclose(file)
        let modules = Self.moduleFolders.map { "-I \($0)" }.joined(separator: " ")
        return run("swiftc -emit-sil -o /dev/null -swift-version 6 \(modules) \(folder)/main.swift 2>&1")
    }

    /// Where the build has put the modules: beside the program that runs these tests.
    private static var moduleFolders: [String] {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
        var path = String(decoding: buffer.prefix(max(count, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // The toolchain's own test runner may be the program; the loaded test bundle is what counts then.
        if unsafe access(folder(of: path) + "/Modules/Ringcast.swiftmodule", R_OK) != 0, let bundle = loadedBundle {
            path = bundle
        }
        let build = folder(of: path)
        let packages = folder(of: folder(of: folder(of: build)))
        let folders = ["CEpoll", "CLiburing", "CIOUring/include", "CSystemCalls/include", "COpenSSL", "CZlib"]
        let systemModules = folders.map {
            packages + "/Sources/" + $0
        }
        return [build + "/Modules", build] + systemModules
    }

    private static var loadedBundle: String? {
        guard let file = unsafe fopen("/proc/self/maps", "r") else { return nil }
        defer { unsafe fclose(file) }
        var line = [CChar](repeating: 0, count: 4096)
        while unsafe fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if text.contains(".xctest"), let start = text.firstIndex(of: "/") {
                return String(text[start...].prefix { $0 != "\n" })
            }
        }
        return nil
    }

    private static func folder(of path: String) -> String {
        String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    }

    private func run(_ command: String) -> String {
        guard let pipe = unsafe popen(command, "r") else { return "" }
        defer { _ = unsafe pclose(pipe) }
        var output: [UInt8] = []
        var byte = unsafe fgetc(pipe)
        while byte != EOF {
            output.append(UInt8(truncatingIfNeeded: byte))
            byte = unsafe fgetc(pipe)
        }
        return String(decoding: output, as: UTF8.self)
    }
}
