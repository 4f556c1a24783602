import Foundation

/// A declaration that other packages see, with what its comment says.
struct PublicSymbol: Sendable {
    enum Kind: Sendable { case type, function, property, enumCase }

    let file: String
    let line: Int
    let kind: Kind
    let name: String
    /// Everything in front of the body, on one line: `public func stop(deadline: Duration) async throws`.
    let head: String
    let comment: String
    /// The types that it stands in, the outermost first; extensions by the type that they extend.
    let owners: [String]

    var place: String { "\(file):\(line): \(family)" }
    /// What overloads have in common, and a type's declaration with its extensions.
    var family: String { (owners + [name]).joined(separator: ".") }
    var owner: String { owners.joined(separator: ".") }

    /// The head without what stands between brackets: a function's effects and result, what a type inherits.
    var outline: String {
        var depth = 0
        var text = ""
        for character in bracketed {
            if "([<".contains(character) { depth += 1 }
            if depth == 0 { text.append(character) }
            if ")]>".contains(character) { depth -= 1 }
        }
        return text
    }

    /// The names that a body knows parameters by: `data` of `with data: sending Value`.
    var parameters: [String] {
        var depth = 0
        var lists: [String] = [""]
        for character in bracketed.drop(while: { $0 != "(" }) {
            if ")]>".contains(character) { depth -= 1 }
            if depth == 0, !"([<".contains(character) { break }
            if depth == 1, character == "," { lists.append("") }
            if depth == 1, character != "," { lists[lists.count - 1].append(character) }
            if "([<".contains(character) { depth += 1 }
        }
        return lists.compactMap { $0.split(separator: ":").first?.split(separator: " ").last.map(String.init) }
    }

    /// Those that the comment tells about: each by `- Parameter name:`, or in the list behind `- Parameters:`.
    var describedParameters: [String] {
        var isInList = false
        return comment.split(separator: "\n").compactMap { line in
            let text = line.drop { $0 == " " }
            if text.hasPrefix("- Parameter ") { return text.dropFirst(12).split(separator: ":").first.map(String.init) }
            if text.hasPrefix("- ") && line.hasPrefix(" - ") { isInList = text.hasPrefix("- Parameters:") }
            guard isInList, line.hasPrefix("   - ") else { return nil }
            return text.dropFirst(2).split(separator: ":").first.map(String.init)
        }
    }

    var isSaid: Bool { !comment.isEmpty }

    /// The head without what looks like a bracket and is none.
    private var bracketed: String {
        ["->", "<<", ">>"].reduce(head) { $0.replacingOccurrences(of: $1, with: "") }
    }

    func says(_ pattern: String) -> Bool {
        comment.range(of: pattern, options: [.regularExpression, .caseInsensitive]) != nil
    }
}

extension PublicSymbol {
    /// The declarations of a file that say `public` or `open`, the cases of public enums and the requirements of public
    /// protocols. Found by lines and braces, without a grammar, which the format of this repository allows.
    static func all(in file: SourceFile) -> [PublicSymbol] {
        var symbols: [PublicSymbol] = []
        var scopes: [Scope] = []
        var type: Scope?
        var parentheses = 0
        for (index, line) in file.code.enumerated() {
            if scopes.allSatisfy({ $0.name != nil }), type == nil, let words = Words(line) {
                if words.isPublic || scopes.last?.makesPublic(words.keyword) == true, let kind = words.kind {
                    symbols.append(
                        PublicSymbol(
                            file: file.path, line: index + 1, kind: kind, name: words.name,
                            head: head(from: index, in: file.code), comment: comment(above: index, in: file.lines),
                            owners: scopes.compactMap(\.name)))
                }
                if words.opensType { type = Scope(name: words.name, keyword: words.keyword, isPublic: words.isPublic) }
            }
            for character in line {
                switch character {
                case "(": parentheses += 1
                case ")": parentheses -= 1
                case "{":
                    scopes.append(parentheses == 0 ? type ?? Scope() : Scope())
                    if parentheses == 0 { type = nil }
                case "}": _ = scopes.popLast()
                default: break
                }
            }
        }
        return symbols
    }

    private static func head(from start: Int, in code: [String]) -> String {
        var text = ""
        var depth = 0
        for (index, line) in code.enumerated().dropFirst(start) {
            for character in line {
                if "([".contains(character) { depth += 1 }
                if ")]".contains(character) { depth -= 1 }
                if character == "{", depth == 0 { return text }
                text.append(character)
            }
            let next = index + 1 < code.count ? code[index + 1].trimmingCharacters(in: .whitespaces) : ""
            if depth == 0, !["->", "async", "throws", "where", ":"].contains(where: next.hasPrefix) { break }
            text.append(" ")
        }
        return text
    }

    /// The `///` lines above a declaration; its attributes may stand in between.
    private static func comment(above index: Int, in lines: [Substring]) -> String {
        var comment: [String] = []
        for line in lines[..<index].reversed() {
            let text = line.trimmingCharacters(in: .whitespaces)
            if text.hasPrefix("///") {
                comment.append(String(text.dropFirst(3)))
            } else if !comment.isEmpty || !text.hasPrefix("@") {
                break
            }
        }
        return comment.reversed().joined(separator: "\n")
    }
}

/// What a brace has opened: a type or an extension, which have a name, or anything else.
private struct Scope {
    var name: String?
    var keyword = ""
    var isPublic = false

    func makesPublic(_ member: String) -> Bool {
        isPublic && (keyword == "protocol" || (keyword == "enum" && member == "case"))
    }
}

/// The first words of a line that begins a declaration.
private struct Words {
    var isPublic = false
    let keyword: String
    let name: String

    private static let modifiers: Set<Substring> = [
        "public", "open", "package", "internal", "private", "fileprivate", "static", "final", "mutating",
        "nonmutating", "consuming", "borrowing", "nonisolated", "indirect", "override", "required", "convenience",
        "lazy", "weak", "unowned", "prefix",
    ]
    private static let keywords: Set<Substring> = [
        "struct", "class", "enum", "protocol", "actor", "extension", "func", "init", "subscript", "var", "let", "case",
        "typealias", "associatedtype",
    ]

    init?(_ line: String) {
        var text = line.drop { $0 == " " }
        while text.first == "@" { text = Self.behindAttribute(text) }
        var word = text.prefix { $0.isLetter }
        while Self.modifiers.contains(word) {
            text = text[word.endIndex...]
            // `private(set)` says nothing of the declaration itself.
            let isOfSetter = text.first == "("
            if isOfSetter { text = text.drop { $0 != ")" }.dropFirst() }
            isPublic = isPublic || (!isOfSetter && (word == "public" || word == "open"))
            text = text.drop { $0 == " " }
            word = text.prefix { $0.isLetter }
        }
        // `class func` and `class var` are members; a class has a name.
        if word == "class" {
            let next = text[word.endIndex...].drop { $0 == " " }
            if next.hasPrefix("func ") || next.hasPrefix("var ") { (text, word) = (next, next.prefix { $0.isLetter }) }
        }
        guard Self.keywords.contains(word) else { return nil }
        keyword = String(word)
        let rest = text[word.endIndex...].drop { $0 == " " }
        let identifier = rest.prefix { $0.isLetter || $0.isNumber || "_.`".contains($0) }
        let named = identifier.isEmpty ? rest.prefix { $0 != "(" && $0 != " " } : identifier
        name = ["init", "subscript"].contains(keyword) ? keyword : String(named)
    }

    private static func behindAttribute(_ text: Substring) -> Substring {
        var rest = text.dropFirst().drop { $0.isLetter || $0 == "_" }
        if rest.first == "(" { rest = rest.drop { $0 != ")" }.dropFirst() }
        return rest.drop { $0 == " " }
    }

    var opensType: Bool { ["struct", "class", "enum", "protocol", "actor", "extension"].contains(keyword) }

    var kind: PublicSymbol.Kind? {
        switch keyword {
        case "struct", "class", "enum", "protocol", "actor", "typealias", "associatedtype": .type
        case "func", "init", "subscript": .function
        case "var", "let": .property
        case "case": .enumCase
        default: nil
        }
    }
}
