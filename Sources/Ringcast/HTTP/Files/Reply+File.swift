// Ringcast/HTTP/Files: replies that are files. Users meet `Reply.file`; `FileReply` makes a response or a stream of it,
// by what HTTPProtocol's `RequestConditions` say; SystemCalls' `ReadableFile` is the file.

public import HTTPTypes

extension Reply {
    /// A file below a folder, whose path may come from the request:
    ///
    ///     routes.get("/assets/*path") { request in .file(request.parameter("path")!, in: "/srv/assets") }
    ///
    /// Nothing outside of the folder is ever read: a path that is absolute, or has `..`, an empty part, a part that
    /// begins with a dot, or NUL, is answered 404; so is a symbolic link out of the folder (the kernel sees to that by
    /// `openat2`; where it has none, or a seccomp profile refuses it, no link is followed). So are folders, devices,
    /// FIFOs, and what is not there. What may not be read is 403.
    ///
    /// The answer has a type by the ending of the name, `ETag`, `Last-Modified` and `Accept-Ranges`. Of GET and HEAD
    /// the conditions are judged (`If-Match`, `If-Unmodified-Since`: 412; `If-None-Match`, `If-Modified-Since`: 304),
    /// of GET `Range` and `If-Range`: one range of bytes is answered by 206 or 416, several by the whole file. The tag
    /// is of length and time of change, and weak while that is less than two seconds ago, since another change might
    /// not show.
    ///
    /// The file is opened, and up to 64 KiB are read, on the connection's loop, as long as that need not wait for the
    /// disk; what is not in memory is read on Swift's pool. Opening may wait for the disk. Longer files are streamed as
    /// `Reply.stream` is, 64 KiB at a time; one that becomes shorter meanwhile has its connection reset, and one whose
    /// bytes change is sent as it is then: replace files by renaming. Costs five system calls, and those that read.
    /// - Parameters:
    ///   - path: relative to the folder, decoded, as `Request.parameter` gives it.
    ///   - folder: of the program's own, absolute or relative to where the program runs.
    ///   - index: the name of the file that stands for a folder, such as `index.html`: for a path that is empty or ends
    ///     in a slash; a folder's path without it is redirected to the one with it. Nil: folders are 404.
    ///   - headers: added to the answer; a `Content-Type` among them goes before that of the name.
    public static func file(
        _ path: String, in folder: String, index: String? = nil, headers: HTTPFields = [:]
    ) -> Reply {
        Reply(kind: .file(FileReply(place: .beneath(folder, path, index: index), headers: headers)))
    }

    /// A file of the program's own: as the other form, but its path is trusted. Never make it of a request.
    /// - Parameters:
    ///   - path: absolute, or relative to where the program runs. Symbolic links are followed.
    ///   - headers: added to the answer; a `Content-Type` among them goes before that of the name.
    public static func file(path: String, headers: HTTPFields = [:]) -> Reply {
        Reply(kind: .file(FileReply(place: .known(path), headers: headers)))
    }
}
