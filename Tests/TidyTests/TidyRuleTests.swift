import Testing

/// The rules find what they are there for.
@Suite struct TidyRuleTests {
    private func file(_ text: String, path: String = "Sources/Some/File.swift", isExecutable: Bool = false)
        -> SourceFile
    {
        SourceFile(path: path, text: text, isExecutable: isExecutable)
    }

    private func body(_ count: Int) -> String { String(repeating: "        work()\n", count: count) }

    @Test func `lines are counted as an editor does`() {
        #expect(file("a\nb\n").lineCount == 2)
        #expect(file("a\nb").lineCount == 2)
        #expect(TidyRules.lengthOfFile(file("a\nb\nc\n"), atMost: 3).isEmpty)
        #expect(TidyRules.lengthOfFile(file("a\nb\nc\nd\n"), atMost: 3).count == 1)
    }

    @Test func `a line of 121 columns is too long, in characters and not in bytes`() {
        #expect(TidyRules.lengthOfLines(file(String(repeating: "ä", count: 120))).isEmpty)
        #expect(
            TidyRules.lengthOfLines(file("a\n" + String(repeating: "b", count: 121))) == [
                "Sources/Some/File.swift:2: 121 columns, at most 120"
            ])
    }

    @Test(arguments: ["func f() {", "init() {", "deinit {", "subscript(a: Int) -> Int {", "func f(\n    a: Int\n) {"])
    func `a function of 61 lines is too long`(head: String) {
        #expect(TidyRules.lengthOfFunctions(file("    \(head)\n\(body(60))    }\n")).isEmpty)
        #expect(TidyRules.lengthOfFunctions(file("    \(head)\n\(body(61))    }\n")).count == 1)
    }

    @Test func `braces in text and comments are not counted`() {
        let disguised =
            "        let a = \"}\"  // }\n        /* } */ let b = \"\\\"}\"\n        let c = \"\"\"\n}\n\"\"\"\n"
        #expect(TidyRules.lengthOfFunctions(file("func f() {\n\(disguised)\(body(61))}\n")).count == 1)
    }

    @Test func `a requirement has no body, whatever follows it`() {
        let text = "protocol P {\n    func f()\n    func g()\n}\nstruct S {\n\(body(61))}\n"
        #expect(TidyRules.lengthOfFunctions(file(text)).isEmpty)
    }

    @Test(arguments: ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"])
    func `leftovers are found, also in comments`(word: String) {
        #expect(TidyRules.leftovers(file("// \(word): later")).count == 1)
        #expect(TidyRules.leftovers(file("let \(word)ED = mktemp(\"a.\(word)\(word)\")")).isEmpty)
    }

    @Test func `printing is found in code only`() {
        #expect(TidyRules.printing(file("    print(\"a\")\n    debugPrint(a)")).count == 2)
        #expect(TidyRules.printing(file("// print(a)\nlet a = \"print(a)\"\nsprint(a)")).isEmpty)
    }

    @Test(arguments: [
        "import Foundation", "internal import Foundation", "import struct Foundation.Date",
        "public import FoundationEssentials",
    ])
    func `Foundation is found`(line: String) {
        #expect(TidyRules.foundation(file(line)).count == 1)
        #expect(TidyRules.foundation(file("// \(line)")).isEmpty)
    }

    @Test func `unchecked types are found in code only`() {
        #expect(TidyRules.mentions("@unchecked Sendable", in: file("struct A: @unchecked Sendable {}")))
        #expect(
            !TidyRules.mentions(
                "@unchecked Sendable", in: file("// @unchecked Sendable\nlet a = \"@unchecked Sendable\"")))
    }

    @Test func `unsafe flags and vague names are found`() {
        #expect(TidyRules.unsafeFlags(file(".unsafeFlags([\"-Ounchecked\"])")).count == 1)
        #expect(TidyRules.vagueName(file("", path: "Sources/A/LoopManager.swift")).count == 1)
        #expect(TidyRules.vagueName(file("", path: "Sources/A/StringUtils.swift")).count == 1)
        #expect(TidyRules.vagueName(file("", path: "Sources/A/Loop.swift")).isEmpty)
    }

    @Test func `a program can be run and says what it does`() {
        let good = "#!/bin/sh\n# Says hello to everyone.\necho hello\n"
        #expect(TidyRules.program(file(good, path: "Scripts/hello", isExecutable: true)).isEmpty)
        #expect(TidyRules.program(file(good, path: "Scripts/hello")).count == 1)
        #expect(TidyRules.program(file("#!/bin/sh\necho hello to you all\n", isExecutable: true)).count == 1)
        #expect(TidyRules.program(file("echo hello\n")).count == 3)
    }
}
