import Glibc
import SystemCalls
import Testing

@Suite struct SystemFileTests {
    @Test func `a file is written and read whole`() {
        let path = "/tmp/ringcast-\(getpid())-system-file"
        defer { unsafe unlink(path) }
        let text = String(repeating: "0123456789", count: 2_000)
        #expect(SystemFile.write(text, to: path) && SystemFile.read(path) == text)
        #expect(SystemFile.write(" 17\n", to: path) && SystemFile.number(path) == 17)
        #expect(SystemFile.write("", to: path) && SystemFile.read(path) == "" && SystemFile.number(path) == nil)
    }

    @Test func `the kernel's files and folders are read`() {
        #expect(SystemFile.read("/proc/self/status")?.contains("VmRSS:") == true)
        #expect(SystemFile.names(in: "/proc/self/task").contains("\(getpid())"))
    }

    @Test func `what is not there is told`() {
        #expect(SystemFile.read("/nothing") == nil && SystemFile.read("/") == nil)
        #expect(!SystemFile.write("x", to: "/") && SystemFile.names(in: "/nothing").isEmpty)
    }
}
