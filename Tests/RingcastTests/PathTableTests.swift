import Testing

@testable import Ringcast

@Suite struct PathTableTests {
    @Test func `a path is kept once, as long as it has sockets`() {
        var table = PathTable()
        let (first, second, other) = (table.keep("/a"), table.keep("/a"), table.keep("/b"))
        #expect(first == second && other != first && table.count == 2)
        #expect(table[first] == "/a" && table[other] == "/b" && table[0] == nil)
        table.release(first)
        #expect(table[second] == "/a")
        table.release(second)
        #expect(table[second] == nil && table.count == 1)
        let next = table.keep("/c")
        #expect(next == first)
    }

    @Test func `of too many paths the first part is kept, and of too many of those nothing`() {
        var table = PathTable()
        let whole = (0..<PathTable.bound).map { table.keep("/rooms/\($0)") }
        #expect(table[whole[100]] == "/rooms/100")
        let other = table.keep("/rooms/elsewhere")
        #expect(table[other] == "/rooms/…")
        for number in 0..<PathTable.bound { _ = table.keep("/\(number)/x") }
        let none = table.keep("/one/more")
        #expect(none == 0 && table.count == 2 * PathTable.bound)
        table.release(0)
    }

    @Test func `what is shown of a path is short, and breaks no line`() {
        #expect(PathTable.shown("/a b/ü") == "/a b/ü")
        #expect(PathTable.shown("/a\r\n\u{1B}[2Jb") == "/a%0D%0A%1B[2Jb")
        #expect(PathTable.shown("/" + String(repeating: "ü", count: 100)).utf8.count == 127)
        var table = PathTable()
        let long = "/" + String(repeating: "x", count: 1_000)
        let number = table.keep(long)
        let again = table.keep(long)
        #expect(table[number]?.utf8.count == PathTable.longest && again == number && table.count == 1)
    }
}
