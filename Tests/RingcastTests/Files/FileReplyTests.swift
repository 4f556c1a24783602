import Glibc
import HTTPTypes
import ReactorTesting
import Testing

@testable import Ringcast

/// Replies that are files, over simulated connections.
@Suite(.endingAll) struct FileReplyTests {
    private let folder: TemporaryFolder
    private let server: SimulatedServer

    init() throws {
        folder = try TemporaryFolder()
        let path = folder.path
        var routes = Routes()
        routes.get("/files/*path") { request in .file(request.parameter("path")!, in: path) }
        routes.get("/site/*path") { request in .file(request.parameter("path")!, in: path, index: "index.html") }
        routes.get("/own") { _ in .file(path: "\(path)/page.html", headers: [.cacheControl: "no-cache"]) }
        routes.get("/typed") { _ in .file("page.html", in: path, headers: [.contentType: "text/x-mine"]) }
        routes.get("/later") { _ in .deferred { .file("page.html", in: path).setting(.cacheControl, to: "private") } }
        routes.post("/files/*path") { request in .file(request.parameter("path")!, in: path) }
        routes.get("/nowhere") { _ in .file("a", in: "\(path)/none") }
        server = try SimulatedServer(routes)
        folder.write("<p>hello</p>", to: "page.html")
        folder.write("index", to: "docs/index.html")
        folder.write("secret", to: ".env")
        folder.write("", to: "empty.txt")
    }

    private func get(_ target: String, _ fields: String...) -> SimulatedAnswer { ask("GET", target, fields) }

    private func ask(_ method: String, _ target: String, _ fields: [String] = []) -> SimulatedAnswer {
        let peer = server.connect()
        let lines = ["\(method) \(target) HTTP/1.1", "Host: test"] + fields
        peer.send(Array((lines.map { $0 + "\r\n" }.joined() + "\r\n").utf8))
        // Where the file system cannot tell what is in memory, Swift's pool reads.
        #expect(
            eventually {
                server.rest()
                return !peer.receivedBytes.isEmpty && server.pendingRequests == 0
            })
        return SimulatedAnswer(String(decoding: peer.takeReceivedBytes(), as: UTF8.self))
    }

    @Test func `a file has a type, a tag, a date and a length`() {
        let answer = get("/files/page.html")
        #expect(answer.status == 200 && answer.text == "<p>hello</p>")
        #expect(answer["Content-Type"] == "text/html; charset=utf-8" && answer["Content-Length"] == "12")
        #expect(answer["Accept-Ranges"] == "bytes" && answer["Last-Modified"]?.hasSuffix(" GMT") == true)
        #expect(answer["ETag"]?.hasPrefix("\"c-") == true && answer["ETag"]?.hasSuffix("-75bcd15\"") == true)
        #expect(get("/own")["Cache-Control"] == "no-cache" && get("/own").text == "<p>hello</p>")
        #expect(get("/typed")["Content-Type"] == "text/x-mine")
        #expect(get("/files/empty.txt").status == 200)
    }

    @Test func `a file that may not be read is forbidden, and one that is not there stays not found`() {
        folder.write("locked", to: "locked.txt")
        #expect(unsafe chmod("\(folder.path)/locked.txt", 0) == 0)
        #expect(unsafe chmod(folder.path, 0o755) == 0)
        // Root may read everything: on this thread alone, files are opened as nobody does. The module lacks the call.
        guard let symbol = unsafe dlsym(nil, "setfsuid") else {
            Issue.record("there is no setfsuid")
            return
        }
        let setFileUser = unsafe unsafeBitCast(symbol, to: (@convention(c) (UInt32) -> Int32).self)
        let own = UInt32(bitPattern: setFileUser(65_534))
        defer { _ = setFileUser(own) }
        let answer = get("/files/locked.txt")
        #expect(answer.status == 403 && answer.text == "Forbidden\n")
        #expect(get("/files/none.txt").status == 404 && get("/files/page.html").status == 200)
    }

    @Test func `HEAD is told what GET would be`() {
        let (head, whole) = (ask("HEAD", "/files/page.html"), get("/files/page.html"))
        #expect(head.status == 200 && head.text.isEmpty)
        for name in ["Content-Type", "Content-Length", "ETag", "Last-Modified", "Accept-Ranges"] {
            #expect(head[name] != nil && head[name] == whole[name], "\(name)")
        }
        #expect(ask("HEAD", "/files/none").status == 404)
    }

    @Test func `what the client has is not sent again`() throws {
        let first = get("/files/page.html")
        let tag = try #require(first["ETag"])
        let date = try #require(first["Last-Modified"])
        for condition in ["If-None-Match: \(tag)", "If-Modified-Since: \(date)"] {
            let answer = get("/files/page.html", condition)
            #expect(answer.status == 304 && answer.text.isEmpty && answer["ETag"] == tag)
            #expect(answer["Content-Length"] == nil && answer["Content-Type"] == nil)
        }
        #expect(get("/own", "If-None-Match: *")["Cache-Control"] == "no-cache")
        #expect(get("/files/page.html", "If-Match: \"other\"").status == 412)
        #expect(get("/later", "If-None-Match: \(tag)").status == 304)
        folder.write("<p>other</p>", to: "page.html")
        folder.shorten("page.html", to: 5)
        let changed = get("/files/page.html", "If-None-Match: \(tag)")
        #expect(changed.status == 200 && changed.text == "<p>ot" && changed["ETag"] != tag)
    }

    @Test func `a tag is weak while another change might not show`() {
        folder.write(Array("new".utf8), to: "new.txt", age: 0)
        let answer = get("/files/new.txt")
        #expect(answer["ETag"]?.hasPrefix("W/") == true)
        #expect(get("/files/new.txt", "If-None-Match: \(answer["ETag"]!)").status == 304)
        let part = get("/files/new.txt", "Range: bytes=0-0", "If-Range: \(answer["ETag"]!)")
        #expect(part.status == 200 && part.text == "new")
    }

    @Test func `one range is given as a part`() {
        let part = get("/files/page.html", "Range: bytes=3-7")
        #expect(part.status == 206 && part.text == "hello" && part["Content-Range"] == "bytes 3-7/12")
        #expect(part["Content-Length"] == "5" && part["Content-Type"] == "text/html; charset=utf-8")
        #expect(get("/files/page.html", "Range: bytes=-4").text == "</p>")
        let beyond = get("/files/page.html", "Range: bytes=12-")
        #expect(beyond.status == 416 && beyond["Content-Range"] == "bytes */12")
        #expect(get("/files/page.html", "Range: bytes=0-1,3-4").text == "<p>hello</p>")
        #expect(ask("POST", "/files/page.html", ["Range: bytes=3-7"]).text == "<p>hello</p>")
    }

    @Test(arguments: [
        "/files/none", "/files/docs", "/files/docs/", "/files/", "/files/page.html/", "/files/page.html/x", "/nowhere",
        "/files/../page.html", "/files/%2e%2e/page.html", "/files/..%2fpage.html", "/files/docs/..%2F..%2fpage.html",
        "/files/%2Fetc%2Fpasswd", "/files//etc/passwd", "/files/page.html%00", "/files/%00", "/files/.env",
        "/files/docs//index.html", "/files/./page.html", "/files/%", "/files/%C0%AE%C0%AE/page.html", "/site/",
        "/site/none/",
    ])
    func `what is none, or leads elsewhere, is not found`(_ target: String) {
        let answer = get(target)
        #expect(answer.status == 404 && !answer.text.contains("hello") && !answer.text.contains("root:"))
    }

    @Test func `links out of the folder and what is no file are not found`() {
        folder.link("passwd", to: "/etc/passwd")
        folder.link("etc", to: "/etc")
        folder.link("self", to: "self")
        folder.makeFIFO("fifo")
        for target in ["/files/passwd", "/files/etc/passwd", "/files/self", "/files/fifo", "/site/etc/"] {
            #expect(get(target).status == 404, "\(target)")
        }
    }

    @Test func `a folder has an index where one is wanted`() {
        #expect(get("/site/docs/").text == "index")
        #expect(get("/site/docs/")["Content-Type"] == "text/html; charset=utf-8")
        let redirect = get("/site/docs")
        #expect(redirect.status == 301 && redirect["Location"] == "./docs/")
        folder.write("top", to: "index.html")
        #expect(get("/site/").text == "top")
    }

    @Test func `a reply that is a file can be changed, and comes later as well`() {
        let answer = get("/later")
        #expect(answer.status == 200 && answer.text == "<p>hello</p>" && answer["Cache-Control"] == "private")
        #expect(get("/later", "Range: bytes=0-2").text == "<p>")
        #expect(Reply.file("a", in: "b").status == nil)
    }
}
