import FoundationEssentials

/// One or more kubeconfig files, merged as client-go merges them: the first file that names a
/// cluster, user or context defines it, and the first current-context counts. Several documents in
/// one file count as several files
/// (https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/).
struct Kubeconfig {
    struct Entry {
        var value: YAML
        /// The file it stands in, against whose folder its paths are relative.
        var file: String
    }

    private(set) var currentContext: String?
    private var clusters: [String: Entry] = [:]
    private var users: [String: Entry] = [:]
    private var contexts: [String: Entry] = [:]
    /// For messages: what was read.
    private let files: [String]

    init(_ files: [String]) throws(KubeError) {
        self.files = files
        for file in files { try add(file) }
    }

    var contextNames: [String] { contexts.keys.sorted() }

    private mutating func add(_ file: String) throws(KubeError) {
        let documents: [YAML]
        do {
            documents = try YAML.documents(try FileReader.read(file))
        } catch let error as KubeError {
            throw error
        } catch let error as YAML.Malformed {
            throw Self.invalid("\(file), line \(error.line): \(error.message)")
        } catch {
            throw Self.invalid("\(file): \(error)")
        }
        for document in documents where !document.isNull { try add(document, of: file) }
    }

    private mutating func add(_ document: YAML, of file: String) throws(KubeError) {
        guard document.pairs != nil else {
            throw Self.invalid("\(file): not a kubeconfig: expected keys like `clusters`")
        }
        if let kind = document["kind"]?.string, kind != "Config" {
            throw Self.invalid("\(file): not a kubeconfig: its kind is \(kind), not Config")
        }
        if currentContext == nil, let name = document["current-context"]?.string, !name.isEmpty {
            currentContext = name
        }
        try merge(document, "clusters", "cluster", file, into: &clusters)
        try merge(document, "users", "user", file, into: &users)
        try merge(document, "contexts", "context", file, into: &contexts)
    }

    private func merge(
        _ document: YAML, _ list: String, _ key: String, _ file: String,
        into entries: inout [String: Entry]
    ) throws(KubeError) {
        guard let values = document[list] else { return }
        guard let elements = values.elements else {
            throw Self.invalid("\(file), line \(values.line): `\(list)` must be a list")
        }
        for element in elements {
            guard let name = element["name"]?.string else {
                throw Self.invalid(
                    "\(file), line \(element.line): an entry of `\(list)` has no `name`")
            }
            guard let value = element.pairs?.last(where: { $0.key == key })?.value else {
                throw Self.invalid(
                    "\(file), line \(element.line): `\(name)` in `\(list)` has no `\(key)`")
            }
            if entries[name] == nil { entries[name] = Entry(value: value, file: file) }
        }
    }

    // MARK: Looking up

    func context(_ wanted: String?) throws(KubeError) -> (name: String, entry: Entry) {
        let shown = files.joined(separator: ":")
        guard let name = wanted ?? currentContext else {
            throw Self.invalid(
                "\(shown): no current-context; choose one with --context"
                    + (contexts.isEmpty ? "" : " (\(contextNames.joined(separator: ", ")))"))
        }
        guard let entry = contexts[name] else {
            throw Self.invalid(
                "\(shown): context \"\(name)\" does not exist; "
                    + (contexts.isEmpty
                        ? "there is none" : "there is \(contextNames.joined(separator: ", "))"))
        }
        return (name, entry)
    }

    func cluster(_ name: String, context: String) throws(KubeError) -> Entry {
        guard let entry = clusters[name] else {
            throw Self.invalid(
                "\(files.joined(separator: ":")): cluster \"\(name)\" of context \"\(context)\" "
                    + "does not exist")
        }
        return entry
    }

    func user(_ name: String, context: String) throws(KubeError) -> Entry {
        guard let entry = users[name] else {
            throw Self.invalid(
                "\(files.joined(separator: ":")): user \"\(name)\" of context \"\(context)\" "
                    + "does not exist")
        }
        return entry
    }

    static func invalid(_ message: String) -> KubeError { KubeError(.configuration, message) }
}

extension Kubeconfig.Entry {
    /// A path in the entry, made absolute.
    func path(_ key: String) -> String? {
        guard let path = value[key]?.string, !path.isEmpty else { return nil }
        return path.hasPrefix("/") ? path : folder + path
    }

    /// The file's folder with a slash, "" for the working directory.
    var folder: String { file.lastIndex(of: "/").map { String(file[...$0]) } ?? "" }

    /// PEM that stands in the entry in base64, or in a file it names. Inline wins.
    func pem(_ key: String, what: String) throws(KubeError) -> PEMSource? {
        if let text = value["\(key)-data"]?.string, !text.isEmpty {
            guard let data = Data(base64Encoded: text, options: .ignoreUnknownCharacters) else {
                throw Kubeconfig.invalid(
                    "\(file), line \(value["\(key)-data"]?.line ?? 0): `\(key)-data` of \(what) "
                        + "is not base64")
            }
            return .inline(Array(data))
        }
        return path(key).map { .file($0) }
    }
}

/// Where a certificate or key comes from. Files are read when a connection is set up.
package enum PEMSource: Sendable, Hashable {
    case inline([UInt8])
    case file(String)

    func read(_ what: String) throws(KubeError) -> [UInt8] {
        switch self {
        case .inline(let bytes): return bytes
        case .file(let path):
            do {
                return try FileReader.read(path)
            } catch {
                throw KubeError(.configuration, "\(what): \(error.message)")
            }
        }
    }
}
