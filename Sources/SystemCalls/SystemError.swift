internal import Glibc

/// An errno of the kernel, as a value.
///
/// The room around it, `SystemCalls`, is what all others need of Linux besides io_uring: errors, files, threads,
/// processors, wake-ups, random bytes. Each file asks the kernel and decides nothing; none imports another room.
package struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    package let code: Int32

    package init(_ code: Int32) { self.code = code }

    /// The calling thread's errno after a C function that returned -1.
    package static var last: SystemError { SystemError(errno) }

    /// The kernel's own words, such as "Address already in use".
    package var description: String {
        unsafe String(cString: strerror(code))
    }

    package static let notPermitted = SystemError(EPERM)
    package static let accessDenied = SystemError(EACCES)
    package static let notImplemented = SystemError(ENOSYS)
    package static let invalidArgument = SystemError(EINVAL)
    package static let outOfMemory = SystemError(ENOMEM)
    package static let addressInUse = SystemError(EADDRINUSE)
    package static let addressNotAvailable = SystemError(EADDRNOTAVAIL)
    package static let addressFamilyNotSupported = SystemError(EAFNOSUPPORT)
    package static let tooManyOpenFiles = SystemError(EMFILE)
    package static let tooManyOpenFilesInSystem = SystemError(ENFILE)
    package static let noBuffers = SystemError(ENOBUFS)
    package static let canceled = SystemError(ECANCELED)
    package static let wouldBlock = SystemError(EAGAIN)
    package static let busy = SystemError(EBUSY)
    package static let brokenPipe = SystemError(EPIPE)
    package static let connectionReset = SystemError(ECONNRESET)
    package static let connectionAborted = SystemError(ECONNABORTED)
    package static let interrupted = SystemError(EINTR)
    package static let notFound = SystemError(ENOENT)
    package static let timedOut = SystemError(ETIMEDOUT)
    package static let notFolder = SystemError(ENOTDIR)
    package static let tooManyLinks = SystemError(ELOOP)
    package static let nameTooLong = SystemError(ENAMETOOLONG)
    /// A way that leaves where it has to stay.
    package static let crossesDevices = SystemError(EXDEV)
    package static let noDevice = SystemError(ENXIO)
}
