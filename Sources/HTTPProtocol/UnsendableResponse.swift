package import HTTPTypes

/// A response that must not be written: it would not mean on the wire what its author wrote. A programming error, which
/// the server answers with 500.
package enum UnsendableResponse: Error, Hashable, Sendable, CustomStringConvertible {
    /// A status code that is not the end of an answer: 200–999 are. 101 is what `.upgrade` answers by itself.
    case status(Int)
    /// A field whose name is not a token, or whose value holds a line break, NUL or another control character.
    case field(name: String)

    package var description: String {
        switch self {
        case .status(let code): "\(code) is not a final status code"
        case .field(let name): "the response field \"\(name)\" holds characters that must not be sent"
        }
    }
}

extension HTTPField {
    /// A field of a response, checked: `HTTPField`'s own initializer would put spaces in the place of line breaks.
    package init(sending name: String, value: String) throws(UnsendableResponse) {
        guard let checked = Name(name), !value.utf8.contains(where: \.isForbiddenControl) else {
            throw .field(name: name)
        }
        self.init(name: checked, value: value)
    }
}
