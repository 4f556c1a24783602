import SystemCalls
import Testing

@testable import Reactor

/// What is said when the kernel gives no ring: it has to be true of every combination of facts.
@Suite struct RingRefusalTests {
    private static let modern = "6.1.0-18-amd64"

    private func sentence(
        _ error: SystemError, filter: Bool?, release: String? = modern, disabled: Int? = 0, lockable: UInt64? = nil
    ) -> String {
        RingRefusal(
            error: error, hasFilter: filter, release: release, disabled: disabled, lockableMemory: lockable
        ).description
    }

    @Test(arguments: [SystemError.notPermitted, .accessDenied, .notImplemented], [0, nil] as [Int?])
    func `under a filter it names the seccomp profile, and never the kernel`(_ error: SystemError, _ disabled: Int?) {
        let said = sentence(error, filter: true, disabled: disabled)
        #expect(
            said.contains("seccomp filter") && said.contains("io_uring_setup, io_uring_enter and io_uring_register"))
        #expect(said.contains("profile") && said.contains("SystemCallFilter=") && !said.contains("kernel"))
    }

    @Test func `a filter on a kernel that has no io_uring is not what is in the way`() {
        let said = sentence(.notImplemented, filter: true, release: "4.19.0-26-amd64", disabled: nil)
        #expect(said == "this kernel (4.19.0-26-amd64) has no io_uring: Linux 6.1 or newer is needed")
    }

    @Test func `without a filter the kernel is told by its release`() {
        #expect(
            sentence(.notImplemented, filter: false, release: "4.4.0", disabled: nil)
                == "this kernel (4.4.0) has no io_uring: Linux 6.1 or newer is needed")
        let built = sentence(.notImplemented, filter: false)
        #expect(built.contains(Self.modern) && built.contains("CONFIG_IO_URING") && !built.contains("seccomp"))
    }

    @Test(arguments: [true, false, nil] as [Bool?], [1, 2])
    func `the sysctl is named where it forbids, and a filter beside it`(_ filter: Bool?, _ disabled: Int) {
        let said = sentence(.notPermitted, filter: filter, disabled: disabled)
        #expect(said.contains("kernel.io_uring_disabled to 0"))
        #expect(said.contains("kernel.io_uring_group") == (disabled == 1))
        #expect(said.contains("has a seccomp filter") == (filter == true))
        #expect(said.contains("in its seccomp profile") == (filter == true), "and what to do about it")
    }

    @Test func `neither filter nor sysctl: it is said, and what else there is`() {
        let said = sentence(.notPermitted, filter: false)
        #expect(
            said.contains("neither by a seccomp filter nor by kernel.io_uring_disabled") && said.contains("SELinux"))
    }

    @Test(arguments: [SystemError.notPermitted, .notImplemented])
    func `what cannot be known is called likely`(_ error: SystemError) {
        let said = sentence(error, filter: nil, release: nil, disabled: nil)
        #expect(said.contains("most likely") && said.contains("seccomp"))
    }

    @Test func `a kernel is called too old only if it is`() {
        #expect(
            sentence(.invalidArgument, filter: false, release: "5.15.0-91-generic")
                == "the io_uring of this kernel (5.15.0-91-generic) is too old: Linux 6.1 or newer is needed")
        let refused = sentence(.invalidArgument, filter: false)
        #expect(!refused.contains("too old") && refused.contains(Self.modern))
        #expect(sentence(.invalidArgument, filter: false, release: "10.0").contains("too old") == false)
    }

    @Test func `a limit of lockable memory is named with its size`() {
        let limited = sentence(.outOfMemory, filter: false, lockable: 8 << 20)
        #expect(limited.contains("8192 KiB") && limited.contains("ulimit -l") && limited.contains("fewer loops"))
        let unlimited = sentence(.outOfMemory, filter: false)
        #expect(!unlimited.contains("ulimit") && unlimited.contains("not enough memory"))
    }

    @Test func `other errors are told in the kernel's words`() {
        #expect(sentence(.noBuffers, filter: true) == "io_uring could not be set up: \(SystemError.noBuffers)")
    }

    @Test func `too few open files are told alike of both drivers, and how to have more`() {
        let said = sentence(.tooManyOpenFiles, filter: true)
        #expect(said.contains("limit of open files") && said.contains("ulimit -n") && said.contains("LimitNOFILE="))
        #expect(ReactorError.noEpoll(.tooManyOpenFiles).description == said)
        #expect(ReactorError.noEpoll(.noBuffers).description.contains("\(SystemError.noBuffers)"))
    }

    @Test func `whom no limit of locked memory binds is read from the capabilities`() {
        #expect(RingRefusal.mayLockMemory(status: "Name:\ta\nCapEff:\t000001ffffffffff\n"))
        let bounded = "Name:\ta\nCapEff:\t0000000000003fff\nCapBnd:\t000001ffffffffff\n"
        #expect(!RingRefusal.mayLockMemory(status: bounded))
        #expect(!RingRefusal.mayLockMemory(status: "Name:\ta\n"))
    }

    @Test func `the state of the filter is read from the kernel's list`() {
        #expect(RingRefusal.hasFilter(status: "Name:\ta\nSeccomp:\t2\nSeccomp_filters:\t1\n") == true)
        #expect(RingRefusal.hasFilter(status: "Name:\ta\nSeccomp:\t0\nSeccomp_filters:\t0\n") == false)
        #expect(RingRefusal.hasFilter(status: "Name:\ta\n") == nil)
    }

    @Test func `the facts of this machine are found`() {
        let facts = RingRefusal.current(.notImplemented)
        #expect(facts.hasFilter != nil && facts.release?.split(separator: ".").count ?? 0 > 1)
    }
}
