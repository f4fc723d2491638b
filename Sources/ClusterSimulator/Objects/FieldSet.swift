import ObjectEncoding

/// A set of an object's fields, as `metadata.managedFields` writes it down: "f:name" for a member,
/// `k:{"type":"Ready"}` for a list's entry by its keys, `v:"x"` for a plain entry, "." for the
/// entry itself.
struct FieldSet: Sendable, Equatable {
    typealias Path = [String]

    private(set) var paths: Set<Path> = []

    var isEmpty: Bool { paths.isEmpty }

    init(_ paths: Set<Path> = []) { self.paths = paths }

    /// The fields that `object` sets.
    init(of object: JSONValue, kind: String) {
        guard case .object(let root) = object else { return }
        for (key, value) in root.pairs where key != "apiVersion" && key != "kind" {
            if key == "metadata" {
                let served = [
                    "name", "namespace", "uid", "resourceVersion", "creationTimestamp",
                    "managedFields", "generation",
                ]
                for (key, value) in value.object?.pairs ?? [] where !served.contains(key) {
                    insert(value, ["f:metadata", "f:\(key)"], ["metadata", key], kind)
                }
            } else {
                insert(value, ["f:\(key)"], [key], kind)
            }
        }
    }

    private mutating func insert(
        _ value: JSONValue, _ path: Path, _ names: [String], _ kind: String
    ) {
        switch value {
        case .object(let object) where !object.isEmpty:
            for (key, value) in object.pairs {
                insert(value, path + ["f:\(key)"], names + [key], kind)
            }
        case .array(let items) where !items.isEmpty:
            switch ListRules.apply(kind, names) {
            case .atomic: paths.insert(path)
            case .set: for item in items { paths.insert(path + [Self.valueElement(item)]) }
            case .keyed(let keys):
                for item in items {
                    let entry = path + [Self.keyElement(item, keys)]
                    paths.insert(entry + ["."])
                    insert(item, entry, names, kind)
                }
            }
        default: paths.insert(path)
        }
    }

    private static func keyElement(_ item: JSONValue, _ keys: [String]) -> String {
        let fields = keys.sorted().compactMap { key in item[key].map { (key, $0) } }
        return "k:" + String(decoding: JSONValue.object(JSONObject(fields)).bytes, as: UTF8.self)
    }

    private static func valueElement(_ item: JSONValue) -> String {
        "v:" + String(decoding: item.bytes, as: UTF8.self)
    }

    // MARK: Sets

    func contains(_ path: Path) -> Bool { paths.contains(path) }
    func union(_ other: FieldSet) -> FieldSet { FieldSet(paths.union(other.paths)) }
    func subtracting(_ other: FieldSet) -> FieldSet { FieldSet(paths.subtracting(other.paths)) }

    // MARK: fieldsV1

    init(fieldsV1 tree: JSONValue) { flatten(tree, []) }

    private mutating func flatten(_ tree: JSONValue, _ path: Path) {
        guard case .object(let object) = tree else { return }
        if object.isEmpty {
            // "." of a plain object says only that it is there, which its members say too.
            if path.last != "." || path.dropLast().last?.hasPrefix("k:") == true {
                paths.insert(path)
            }
            return
        }
        for (key, value) in object.pairs { flatten(value, path + [key]) }
    }

    var fieldsV1: JSONValue {
        var root = JSONValue.object(JSONObject())
        for path in paths.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            Self.insert(path[...], &root)
        }
        return root
    }

    private static func insert(_ path: ArraySlice<String>, _ tree: inout JSONValue) {
        guard let key = path.first else { return }
        var member = tree[key] ?? .object(JSONObject())
        insert(path.dropFirst(), &member)
        tree[key] = member
    }

    // MARK: Fields of objects

    /// A field as people write it: .metadata.labels.pool
    static func text(_ path: Path) -> String {
        path.map { element in
            if element.hasPrefix("f:") { return ".\(element.dropFirst(2))" }
            return element == "." ? "" : "[\(element.dropFirst(2))]"
        }.joined()
    }
}

extension JSONValue {
    /// What is at a field's path; nil where nothing is.
    func field(_ path: ArraySlice<String>) -> JSONValue? {
        guard let element = path.first, element != "." else { return self }
        let rest = path.dropFirst()
        if element.hasPrefix("f:") { return self[String(element.dropFirst(2))]?.field(rest) }
        return array?.first { $0.isEntry(element) }?.field(rest)
    }

    /// Takes away what is at a field's path, and what is empty then.
    mutating func removeField(_ path: ArraySlice<String>) {
        guard let element = path.first else { return }
        let rest = path.dropFirst()
        let isLast = rest.isEmpty || rest.first == "."
        if element.hasPrefix("f:") {
            let key = String(element.dropFirst(2))
            if isLast {
                self[key] = nil
            } else if var member = self[key] {
                member.removeField(rest)
                self[key] = member.isEmptyContainer ? nil : member
            }
        } else if case .array(var items) = self,
            let index = items.firstIndex(where: { $0.isEntry(element) })
        {
            if isLast { items.remove(at: index) } else { items[index].removeField(rest) }
            self = .array(items)
        }
    }

    private var isEmptyContainer: Bool { object?.isEmpty ?? array?.isEmpty ?? false }

    private func isEntry(_ element: String) -> Bool {
        guard let wanted = try? JSONValue(parsing: Array(element.dropFirst(2).utf8)) else {
            return false
        }
        if element.hasPrefix("v:") { return self == wanted }
        return wanted.object?.pairs.allSatisfy { self[$0.key] == $0.value } ?? false
    }
}
