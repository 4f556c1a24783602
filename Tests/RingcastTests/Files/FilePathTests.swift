import Testing

@testable import Ringcast

@Suite struct FilePathTests {
    @Test(arguments: [
        ("a", false), ("a/b.html", false), ("a b/é", false), ("a\\..\\b", false), ("%2e%2e", false), ("a..", false),
        ("", true), ("a/", true), ("a/b/", true), ("~", false), ("a:b", false),
    ])
    func `a path below a folder is taken as it is`(_ text: String, _ isFolder: Bool) {
        let path = FilePath(text)
        #expect(path?.text == text && path?.isFolder == isFolder)
    }

    @Test(arguments: [
        "/", "/etc/passwd", "//", "..", "../a", "a/..", "a/../b", "a/../../b", ".", "./a", "a/.", "a//b", "a//",
        ".git/x",
        "a/.env", ".htaccess", "a\u{0}", "\u{0}", "a\u{0}/../b", "../", "./", "a/../",
    ])
    func `what is absolute, goes up, is hidden or holds NUL is none`(_ text: String) {
        #expect(FilePath(text) == nil)
    }

    @Test(arguments: [
        ("a", "./a/"), ("x/docs", "./docs/"), ("a b", "./a%20b/"), ("é?#", "./%C3%A9%3F%23/"), ("a:b", "./a%3Ab/"),
        ("\u{1}\r\n", "./%01%0D%0A/"),
    ])
    func `a folder is referred to relatively, and encoded`(_ text: String, _ reference: String) {
        #expect(FilePath(text)?.folderReference == reference)
    }

    @Test func `no path that is taken goes up, whatever it is made of`() {
        var random = SystemRandomNumberGenerator()
        let parts = ["..", ".", "/", "a", "\\", "\u{0}", "%2e", "%2f", "é", " ", "~", "..."]
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 0...6, using: &random)).map { _ in parts.randomElement(using: &random)! }
                .joined()
            guard let path = FilePath(text) else { continue }
            #expect(!path.text.hasPrefix("/") && !path.text.utf8.contains(0), "\(text.debugDescription)")
            #expect(path.text.split(separator: "/").allSatisfy { $0 != ".." && $0 != "." }, "\(text.debugDescription)")
        }
    }
}
