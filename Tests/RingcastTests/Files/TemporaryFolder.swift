import Glibc
import SystemCalls
import Testing

/// A folder for one test, which goes with it.
final class TemporaryFolder {
    let path: String

    init() throws { path = try #require(SystemFile.makeTemporaryFolder("ringcast-files")) }

    deinit { Self.remove(path) }

    /// Writes a file, in folders that are made for it, and says that it was changed an hour ago.
    func write(_ text: String, to name: String) { write(Array(text.utf8), to: name) }

    func write(_ bytes: [UInt8], to name: String, age: Int = 3_600) {
        makeFolders(above: name)
        let descriptor = unsafe open("\(path)/\(name)", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        #expect(descriptor >= 0)
        #expect(SystemFile.write(bytes, to: descriptor))
        let time = timespec(tv_sec: Glibc.time(nil) - age, tv_nsec: 123_456_789)
        #expect(unsafe futimens(descriptor, [time, time]) == 0)
        close(descriptor)
    }

    func makeFolder(_ name: String) {
        makeFolders(above: name)
        #expect(unsafe mkdir("\(path)/\(name)", 0o755) == 0)
    }

    func link(_ name: String, to target: String) {
        makeFolders(above: name)
        #expect(unsafe symlink(target, "\(path)/\(name)") == 0)
    }

    func makeFIFO(_ name: String) { #expect(unsafe mkfifo("\(path)/\(name)", 0o644) == 0) }

    func shorten(_ name: String, to length: Int) { #expect(unsafe truncate("\(path)/\(name)", length) == 0) }

    private func makeFolders(above name: String) {
        var folder = path
        for part in name.split(separator: "/").dropLast() {
            folder += "/\(part)"
            _ = unsafe mkdir(folder, 0o755)
        }
    }

    private static func remove(_ path: String) {
        for name in SystemFile.names(in: path) {
            let child = "\(path)/\(name)"
            if unsafe unlink(child) != 0 { remove(child) }
        }
        unsafe rmdir(path)
    }
}
