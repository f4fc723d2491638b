package import KubeClient
import NodeWatch

/// The rules of a file, and what becomes of their alerts; all of it sound.
public struct RuleFile: Sendable {
    /// What is wrong with a file. Nothing of it is used.
    public struct Invalid: Error, Sendable, CustomStringConvertible {
        /// Its name.
        public var file: String
        /// In the order of the file.
        public var problems: [RuleProblem]

        /// A line each, as compilers write them: "rules.yaml:12:7: …".
        public var description: String {
            problems.map { "\(file):\($0.line):\($0.column): \($0.message)" }
                .joined(separator: "\n")
        }
    }

    /// In the order of the file.
    public var rules: [Rule]
    /// How long alerts wait for others of their kind before sinks are told.
    public var grouping = Grouper.Options()
    /// Alerts that nobody wants to hear of for a while.
    public var silences: [Silence] = []
    /// Who is told of alerts, beside standard output.
    public var sinks: [Sink] = []

    /// Labels that its rules select nodes by, beyond those that are always kept of nodes: what informers must
    /// be asked to keep.
    public var furtherLabels: [String] {
        let keys = rules.compactMap(\.scope.labels).flatMap(\.keys)
        return Set(keys).subtracting(NodeSummary.keptLabels).sorted()
    }

    /// Rules made by hand.
    public init(rules: [Rule]) { self.rules = rules }

    /// A part of a file that is not about rules: its key, and who reads it.
    package struct Section {
        package var key: String
        package var read: (YAML, inout RuleFields) -> Void

        package init(_ key: String, read: @escaping (YAML, inout RuleFields) -> Void) {
            (self.key, self.read) = (key, read)
        }
    }

    /// Reads a file.
    ///
    /// - Throws: ``Invalid``, or a ``KubeError`` where it cannot be read.
    public init(path: String) throws {
        try self.init(try FileReader.read(path), name: path)
    }

    /// Reads a text.
    ///
    /// - Parameters:
    ///   - bytes: YAML or JSON.
    ///   - name: What it is called in errors.
    public init(_ bytes: [UInt8], name: String) throws(Invalid) {
        try self.init(bytes, name: name, section: nil)
    }

    /// Reads a text that may have another part: then rules may be missing, and every change is told.
    package init(_ bytes: [UInt8], name: String, section: Section?) throws(Invalid) {
        let document: YAML
        do throws(YAML.Malformed) {
            document = try YAML(bytes)
        } catch {
            throw Invalid(
                file: name, problems: [RuleProblem(error)])
        }
        if document.isNull {
            throw Invalid(
                file: name,
                problems: [
                    RuleProblem(
                        document.place,
                        "it is empty; it needs \"rules\": a list. `plimsoll rules example` prints one"
                    )
                ])
        }
        var fields = RuleFields(document, owner: "the file")
        rules = []
        if document.pairs != nil {
            _ = fields.field("version", "version that is known; there is 1") {
                $0.string == "1" ? 1 : nil
            }
            let other = section.flatMap { section in fields.value(section.key).map { (section, $0) }
            }
            if other != nil, document["rules"] == nil {
                fields.allow(["rules"])
                rules = [.storageChanged]
            } else {
                let list = fields.required("rules", "list of rules") { $0.elements }
                rules = Self.read(list ?? [], document["rules"], &fields)
            }
            if let (section, node) = other { section.read(node, &fields) }
            readDelivery(document, &fields)
            fields.finish()
        }
        let labels = furtherLabels
        if labels.count > NodeSummary.mostFurtherLabels {
            fields.complain(
                "its rules select nodes by \(labels.count) labels (\(labels.joined(separator: ", "))), beside "
                    + "those of pool, zone, instance type and architecture; "
                    + "\(NodeSummary.mostFurtherLabels) can be kept of nodes",
                at: document["rules"]?.place)
        }
        if !fields.problems.isEmpty {
            throw Invalid(
                file: name,
                problems: fields.problems.sorted {
                    ($0.line, $0.column) < ($1.line, $1.column)
                })
        }
    }

    /// The rules of a list by itself.
    init(list: YAML, name: String) throws(Invalid) {
        var fields = RuleFields(list: list, owner: "\"rules\"")
        rules = Self.read(list.elements ?? [], list, &fields)
        if !fields.problems.isEmpty { throw Invalid(file: name, problems: fields.problems) }
    }

    private static func read(
        _ list: [YAML], _ node: YAML?, _ fields: inout RuleFields
    ) -> [Rule] {
        if list.isEmpty, node?.elements != nil {
            fields.complain("\"rules\" is an empty list", at: node?.place)
        }
        var rules: [Rule] = []
        var known: Set<String> = []
        for (index, element) in list.enumerated() {
            var reader = RuleReader(element, number: index + 1)
            if let rule = reader.read() {
                fields.claim(rule.name, of: "rule", element, in: &known)
                rules.append(rule)
            }
            fields.take(over: reader.problems)
        }
        return rules
    }
}
