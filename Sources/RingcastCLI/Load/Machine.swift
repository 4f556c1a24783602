import Glibc
import LoadTesting
import SystemCalls

/// What a result says of where it was measured.
enum Machine {
    static var facts: [String: JSON.Scalar] {
        var name = utsname()
        unsafe uname(&name)
        return [
            "cores": .number(Double(Cores.available.count)),
            "processor": .text(processor),
            "kernel": .text(text(of: name.release)),
            "load_average": .text(firstLine("/proc/loadavg").split(separator: " ").prefix(3).joined(separator: " ")),
            "congestion_control": .text(firstLine("/proc/sys/net/ipv4/tcp_congestion_control")),
        ]
    }

    static var versions: [String: String] { ["ringcast": RingcastCommand.version, "swift": swift] }

    private static var swift: String {
        #if compiler(>=6.4)
            "6.4 or later"
        #elseif compiler(>=6.3)
            "6.3"
        #else
            "6.2"
        #endif
    }

    private static var processor: String {
        let lines = (SystemFile.read("/proc/cpuinfo") ?? "").split(separator: "\n")
        let model = lines.first { $0.hasPrefix("model name") }
        return String(model?.split(separator: ":").last?.drop { $0 == " " } ?? "unknown")
    }

    private static func firstLine(_ path: String) -> String {
        String((SystemFile.read(path) ?? "").prefix { !$0.isNewline })
    }

    private static func text<Field>(of field: Field) -> String {
        // Safe: the field is an array of characters that ends with a zero, and outlives the call.
        unsafe withUnsafeBytes(of: field) { unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
