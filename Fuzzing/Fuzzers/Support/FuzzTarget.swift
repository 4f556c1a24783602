import Glibc

/// One thing that is fuzzed. What it finds wrong ends the process, and libFuzzer keeps the input.
public struct FuzzTarget: Sendable {
    public let name: String
    let run: @Sendable (inout FuzzInput) -> Void

    public init(_ name: String, _ run: @escaping @Sendable (inout FuzzInput) -> Void) {
        self.name = name
        self.run = run
    }
}

/// Hands the process over to libFuzzer, for the one of the targets that `RINGCAST_FUZZ_TARGET` names: in the
/// environment, since libFuzzer starts itself again with its own arguments.
public func fuzz(_ targets: [FuzzTarget]) -> Never {
    chosen = find(in: targets)
    var count = CommandLine.argc
    var arguments = CommandLine.unsafeArgv
    exit(runDriver(&count, &arguments, runOnce))
}

/// Without a name the targets are listed. Apart, since what `fuzz` holds is a leak to the sanitizer: it never returns.
private func find(in targets: [FuzzTarget]) -> FuzzTarget {
    let name = getenv("RINGCAST_FUZZ_TARGET").map { String(cString: $0) }
    if let name, let target = targets.first(where: { $0.name == name }) { return target }
    print(targets.map(\.name).joined(separator: "\n"))
    exit(name == nil ? 0 : EX_USAGE)
}

/// Set once, before libFuzzer calls back on the same thread.
private nonisolated(unsafe) var chosen: FuzzTarget?

private func runOnce(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(Array(UnsafeBufferPointer(start: bytes, count: count)))
    chosen?.run(&input)
    return 0
}

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ callback: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// Bytes that are allocated in this process, exactly: AddressSanitizer counts them.
@_silgen_name("__sanitizer_get_current_allocated_bytes")
public func heapByteCount() -> Int
