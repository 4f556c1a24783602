// What instrumented code tells of its comparisons. libFuzzer looks at those of one and of two bytes for its value
// profile alone, which stays off, and spent an eighth of all time on them: the linker has them end here (`--wrap`).

@_cdecl("__wrap___sanitizer_cov_trace_cmp1")
public func ignoreComparison(_: UInt8, _: UInt8) {}

@_cdecl("__wrap___sanitizer_cov_trace_const_cmp1")
public func ignoreComparison(withConstant _: UInt8, _: UInt8) {}

@_cdecl("__wrap___sanitizer_cov_trace_cmp2")
public func ignoreComparison(_: UInt16, _: UInt16) {}

@_cdecl("__wrap___sanitizer_cov_trace_const_cmp2")
public func ignoreComparison(withConstant _: UInt16, _: UInt16) {}
