import Glibc
import LoadTesting

/// Ctrl-C stops a load cleanly; a second one ends the program at once.
enum Interrupts {
    static let control = LoadControl()

    static func install() {
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                // A store and a change of handler are all that happens here: both are safe in a signal handler.
                Interrupts.control.stop()
                signal(number, SIG_DFL)
            }
        }
        signal(SIGPIPE, SIG_IGN)
    }
}
