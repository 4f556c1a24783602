package import HTTPTypes

/// A head that must not be written, since it would not mean on the wire what its author wrote: a programming error,
/// which a server answers with 500, and a client reports of its request.
package enum UnsendableResponse: Error, Hashable, Sendable, CustomStringConvertible {
    /// A status code that does not end an answer, as 200–999 do. `.upgrade` answers 101 by itself.
    case status(Int)
    /// A field whose name is not a token, or whose value holds a line break, NUL or another control character.
    case field(name: String)
    /// A body of fewer bytes than none.
    case length(Int)

    package var description: String {
        switch self {
        case .status(let code): "\(code) is not a final status code"
        case .length(let count): "a body cannot have \(count) bytes"
        case .field(let name): "the response field \"\(name)\" holds characters that must not be sent"
        }
    }
}

extension HTTPField {
    /// A field that is checked: `HTTPField`'s own initializer would put spaces in the place of line breaks.
    package init(sending name: String, value: String) throws(UnsendableResponse) {
        guard let checked = Name(name), !value.utf8.contains(where: \.isForbiddenControl) else {
            throw .field(name: name)
        }
        self.init(name: checked, value: value)
    }
}
