import SystemCalls
import Testing

/// What the kernel opens below a folder, by `openat2` and where there is none.
@Suite struct ReadableFileTests {
    private func open(_ path: String, in folder: TemporaryFolder, byNames: Bool) throws(SystemError) -> String {
        switch try ReadableFile.open(path, beneath: folder.path, byNames: byNames) {
        case .file(let file): String(decoding: try file.read(0..<file.byteCount), as: UTF8.self)
        case .folder: "folder"
        case .other: "other"
        }
    }

    @Test(arguments: [false, true])
    func `files, folders and others are told apart`(_ byNames: Bool) throws {
        let folder = try TemporaryFolder()
        folder.write("one", to: "a")
        folder.write("two", to: "x/y/b")
        folder.makeFIFO("fifo")
        #expect(try open("a", in: folder, byNames: byNames) == "one")
        #expect(try open("x/y/b", in: folder, byNames: byNames) == "two")
        #expect(try open("x/y", in: folder, byNames: byNames) == "folder")
        #expect(try open("fifo", in: folder, byNames: byNames) == "other", "and nobody waits for its writer")
        for missing in ["b", "x/b", "none/b"] {
            #expect(throws: SystemError.notFound) { try open(missing, in: folder, byNames: byNames) }
        }
        #expect(throws: SystemError.notFolder) { try open("a/b", in: folder, byNames: byNames) }
        #expect(throws: SystemError.self) { try open(String(repeating: "n", count: 300), in: folder, byNames: byNames) }
    }

    @Test(arguments: [false, true])
    func `no way leads out of the folder`(_ byNames: Bool) throws {
        let (folder, outside) = (try TemporaryFolder(), try TemporaryFolder())
        defer { withExtendedLifetime(outside) {} }
        outside.write("secret", to: "s")
        outside.write("secret", to: "deep/s")
        folder.makeFolder("x")
        folder.link("file", to: "\(outside.path)/s")
        folder.link("all", to: outside.path)
        folder.link("root", to: "/")
        folder.link("up", to: "..")
        folder.link("x/up", to: "../..")
        folder.link("loop", to: "loop")
        let name = outside.path.split(separator: "/").last!
        let paths = [
            "file", "all/s", "all/deep/s", "root\(outside.path)/s", "up/\(name)/s", "x/up/\(name)/s", "../\(name)/s",
            "x/../../\(name)/s", "\(outside.path)/s", "loop", "loop/s",
        ]
        for path in paths {
            #expect(throws: SystemError.self, "\(path)") { try open(path, in: folder, byNames: byNames) }
        }
    }

    @Test func `a link that stays within is followed, but not where there is no openat2`() throws {
        let folder = try TemporaryFolder()
        folder.write("one", to: "releases/2/a")
        folder.link("current", to: "releases/2")
        folder.link("a", to: "current/a")
        #expect(throws: SystemError.self) { try open("a", in: folder, byNames: true) }
        #expect(throws: SystemError.self) { try open("current/a", in: folder, byNames: true) }
        // Linux has openat2 since 5.6, and the profiles of containers allow it.
        for path in ["a", "current/a"] {
            let text = try? open(path, in: folder, byNames: false)
            #expect(text == "one")
        }
    }

    @Test func `bytes are read from anywhere, and fewer only at the end`() throws {
        let folder = try TemporaryFolder()
        folder.write((0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 7) }, to: "a")
        guard case .file(let file) = try ReadableFile.open("\(folder.path)/a") else {
            Issue.record("no file")
            return
        }
        let bytes = try file.read(0..<200_000)
        #expect(bytes.count == 200_000 && file.byteCount == 200_000)
        #expect(try file.read(150_000..<300_000) == Array(bytes[150_000...]))
        #expect(try file.read(300_000..<400_000) == [] && file.read(7..<7) == [])
        // Just written, so in memory, where the file system can tell.
        if let cached = file.readCached(10..<70_000) { #expect(cached == Array(bytes[10..<70_000])) }
        #expect(throws: SystemError.notFound) { try ReadableFile.open("\(folder.path)/b") }
    }
}
