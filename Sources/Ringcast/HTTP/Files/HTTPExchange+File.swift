import Glibc
import HTTPProtocol
import Reactor
import SystemCalls

/// What a request says of the file that it is answered with, kept until it is known which one that is. An object, so
/// that requests that get none carry one word.
final class FileRequest: Sendable {
    let conditions: RequestConditions

    init(_ request: borrowing Request) { conditions = RequestConditions(request.head) }
}

extension HTTPExchange {
    /// Makes a response or a stream of a file.
    func answer(with file: FileReply, to request: RequestSummary, on connection: Connection) -> Reply.Kind {
        do throws(SystemError) {
            let conditions = request.fileRequest?.conditions ?? RequestConditions(method: .other)
            return try file.answer(to: conditions, now: HTTPDate(secondsSince1970: time(nil)))
        } catch {
            loop.report(
                .unsendable, "a file cannot be opened: \(error)", loop.metadata(of: connection, path: request.path))
            return .response(.internalServerError)
        }
    }
}
