internal import Glibc

/// A kernel feature that the drivers can do without. Older kernels cannot be tried on a newer one, so every feature can
/// be switched off by name in the environment: `RINGCAST_DISABLE=batched-send,message-ring` runs the ways round them.
package enum KernelFeature: String, CaseIterable, Sendable {
    /// The ring itself (6.1). Without it: the epoll driver, unless io_uring is asked for.
    case ring = "io-uring"
    /// Sends that are over when the submission is, and complete only when they fell short (self-tested;
    /// `IORING_OP_SEND` with `MSG_DONTWAIT | MSG_WAITALL` and `IOSQE_CQE_SKIP_SUCCESS`). Without it: one ordinary
    /// completion per send.
    case batchedSend = "batched-send"
    /// One accept that completes for every connection (5.19). Without it: an accept is armed anew each time.
    case multishotAccept = "multishot-accept"
    /// Wake-ups from ring to ring (`IORING_OP_MSG_RING`, 5.18). Without it: a write to the other loop's eventfd.
    case messageRing = "message-ring"
    /// The ring's descriptor registered with itself (5.18), which saves a look-up at every call.
    case registeredRing = "registered-ring"
    /// A table of sockets in the ring, for sends (sparse since 5.19). Without it: sends name the descriptor.
    case registeredFiles = "registered-files"
    /// Completions run only when the loop asks for them (`IORING_SETUP_DEFER_TASKRUN`, 6.1). Without it: at any system
    /// call.
    case deferredTaskRun = "deferred-taskrun"
    /// Waits for several completions, for a short time at most (`IORING_FEAT_MIN_TIMEOUT`, 6.12). Without it:
    /// coalescing stays off.
    case minimumWait = "min-wait"

    /// Whether the environment leaves this feature on.
    package var isAllowed: Bool { !Self.disabled.contains(self) }

    private static let disabled: Set<KernelFeature> = {
        guard let list = unsafe getenv("RINGCAST_DISABLE") else { return [] }
        return unsafe parse(String(cString: list))
    }()

    /// - Parameter list: names with commas between them; unknown ones are ignored.
    package static func parse(_ list: String) -> Set<KernelFeature> {
        Set(list.split(separator: ",").compactMap { KernelFeature(rawValue: String($0)) })
    }
}
