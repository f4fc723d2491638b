import KubeClient
import NodeWatch

/// Reads one rule of a file. What it cannot use it complains of, with place and remedy.
struct RuleReader {
    /// Names of conditions as they are written.
    static let kinds = [
        "storage-changed", "delta", "high", "churn", "image-appeared", "image-removed",
        "image-spread", "big-image", "sudden-drop", "disk-pressure", "duplicate-versions",
        "node-silent", "stream-stale",
    ]

    private var fields: RuleFields
    private let node: YAML

    var problems: [RuleProblem] { fields.problems }

    init(_ node: YAML, number: Int) {
        self.node = node
        let name = node.pairs == nil ? nil : node["name"]?.string
        fields = RuleFields(node, owner: name.map { "rule \"\($0)\"" } ?? "rule \(number)")
    }

    /// The rule; nil where it has problems.
    mutating func read() -> Rule? {
        guard node.pairs != nil else { return nil }
        let name = fields.name()
        let kind = fields.required("type", "type; there are \(Self.kinds.joined(separator: ", "))")
        {
            $0.string
        }
        guard let kind, let condition = condition(kind) else {
            // Without a type nobody knows which fields it may have.
            if let kind, Self.kinds.contains(kind) {
                fields.allow([
                    "severity", "for", "keep_firing_for", "cooldown", "labels", "nodes",
                    "runbook_url",
                ])
                fields.finish()
            }
            return nil
        }
        var rule = Rule(name ?? "", condition)
        readCommon(&rule)
        rule.scope = scope(of: condition)
        fields.finish()
        return fields.problems.isEmpty ? rule : nil
    }

    // MARK: What every rule may have

    private mutating func readCommon(_ rule: inout Rule) {
        rule.severity = fields.severity("severity") ?? (rule.condition.isEvent ? .info : .warning)
        if rule.condition.isEvent {
            rule.cooldown = fields.duration("cooldown") ?? .zero
            for key in ["for", "keep_firing_for"] {
                if let value = fields.misplaced(key) {
                    fields.complain(
                        "\(fields.owner): \"\(key)\" is for what lasts; a rule of its type is told once. "
                            + "\"cooldown\" spares repetitions", at: value.keyPlace)
                }
            }
        } else {
            rule.hold = fields.duration("for") ?? rule.condition.usualHold
            rule.keepFiringFor = fields.duration("keep_firing_for") ?? .zero
            if let value = fields.misplaced("cooldown") {
                fields.complain(
                    "\(fields.owner): \"cooldown\" is for what is told once; a rule of its type lasts. "
                        + "\"keep_firing_for\" spares repetitions", at: value.keyPlace)
            }
        }
        rule.runbookURL = fields.field("runbook_url", "URL; it begins with https://") {
            $0.string.flatMap { $0.hasPrefix("https://") || $0.hasPrefix("http://") ? $0 : nil }
        }
        rule.labels =
            fields.field("labels", "mapping of names (letters, digits and _) to texts") { value in
                guard let pairs = value.pairs else { return nil }
                var labels: [String: String] = [:]
                for (key, value) in pairs {
                    guard let text = value.string, Self.isLabelName(key) else { return nil }
                    labels[key] = text
                }
                return labels
            } ?? [:]
    }

    /// As Prometheus and Alertmanager take them.
    private static func isLabelName(_ text: String) -> Bool {
        !text.isEmpty && !(text.first!.isNumber)
            && text.utf8.allSatisfy { $0.isASCIIAlphanumeric || $0 == UInt8(ascii: "_") }
    }

    private mutating func scope(of condition: Rule.Condition) -> RuleScope {
        var scope = RuleScope()
        guard let node = fields.value("nodes") else { return scope }
        if case .streamStale = condition {
            fields.complain(
                "\(fields.owner): \"nodes\" has no meaning: it is about the whole stream",
                at: node.keyPlace)
            return scope
        }
        var inner = RuleFields(node, owner: "\"nodes\" of \(fields.owner)")
        if node.pairs != nil {
            scope.names = (inner.strings("names") ?? []).map(Glob.init)
            scope.pools = (inner.strings("pools") ?? []).map(Glob.init)
            if let text = inner.string("labels"), let place = node["labels"]?.place {
                do throws(LabelRequirements.Invalid) {
                    let labels = try LabelRequirements(text)
                    scope.labels = labels
                } catch {
                    inner.complain("\(inner.owner): \(error.message)", at: place)
                }
            }
            inner.finish()
        }
        fields.take(over: inner.problems)
        return scope
    }

    // MARK: Conditions

    private mutating func condition(_ kind: String) -> Rule.Condition? {
        let before = fields.problems.count
        let condition = makeCondition(kind)
        return fields.problems.count == before ? condition : nil
    }

    private mutating func makeCondition(_ kind: String) -> Rule.Condition? {
        switch kind {
        case "storage-changed":
            return .storageChanged(
                classifications() ?? Set(ImageChange.Classification.allCases.filter(\.isOfStorage)),
                minBytes: fields.field("min", RuleFields.bytesText, RuleFields.bytes) ?? 0)
        case "delta":
            let window = window(.seconds(300))
            return fields.required("over", RuleFields.amountText, RuleFields.amount).map {
                .delta($0, window: window)
            }
        case "high": return high()
        case "churn":
            let amount = fields.field("over", RuleFields.amountText, RuleFields.amount)
            let changes = fields.field("changes", "number from 1", RuleFields.positive)
            if amount == nil, changes == nil {
                fields.complain(
                    "\(fields.owner) lacks \"over\" (a size, or a share of the node's capacity) or "
                        + "\"changes\" (a number)")
            }
            return .churn(amount, changes: changes, window: window(.seconds(86400)))
        case "image-appeared": return images(isRequired: true).map { .imageAppeared($0) }
        case "image-removed": return images(isRequired: true).map { .imageRemoved($0) }
        case "image-spread": return spread()
        case "big-image":
            return fields.required("over", RuleFields.bytesText, RuleFields.bytes).map {
                .bigImage(bytes: $0)
            }
        case "sudden-drop":
            let amount = fields.field("over", RuleFields.amountText, RuleFields.amount)
            return .suddenDrop(
                amount ?? .percent(25),
                classifications() ?? [.gc, .evictionReclaim, .replace, .rebooted])
        case "disk-pressure": return .diskPressure
        case "duplicate-versions":
            return .duplicateVersions(
                atLeast: fields.field("at_least", "number from 2") {
                    RuleFields.positive($0).flatMap { $0 >= 2 ? $0 : nil }
                } ?? 3)
        case "node-silent": return .nodeSilent(after: after(.seconds(900)))
        case "stream-stale": return .streamStale(after: after(.seconds(150)))
        default:
            let place = node["type"]?.place
            fields.complain(
                "\(fields.owner): there is no type \"\(kind)\""
                    + Suggestion.text(for: kind, among: Self.kinds), at: place)
            return nil
        }
    }

    private mutating func after(_ usual: Duration) -> Duration {
        positiveDuration("after") ?? usual
    }

    private mutating func window(_ usual: Duration) -> Duration {
        positiveDuration("window") ?? usual
    }

    private mutating func positiveDuration(_ key: String) -> Duration? {
        fields.field(key, RuleFields.durationText + ", more than 0") {
            RuleFields.duration($0).flatMap { $0 > .zero ? $0 : nil }
        }
    }

    private mutating func classifications() -> Set<ImageChange.Classification>? {
        let known = ImageChange.Classification.allCases.map(\.rawValue)
        guard let texts = fields.strings("classifications") else { return nil }
        var result: Set<ImageChange.Classification> = []
        for text in texts {
            if let classification = ImageChange.Classification(rawValue: text) {
                result.insert(classification)
            } else {
                fields.complain(
                    "\(fields.owner): there is no classification \"\(text)\""
                        + Suggestion.text(for: text, among: known),
                    at: node["classifications"]?.place)
            }
        }
        return result
    }

    private mutating func high() -> Rule.Condition? {
        let above =
            fields.field("above", RuleFields.amountText, RuleFields.amount)
            ?? .percent(85)
        let basis =
            fields.field(
                "of",
                "basis; there are "
                    + Rule.Basis.allCases.map(\.rawValue).joined(separator: ", ")
            ) { $0.string.flatMap(Rule.Basis.init) } ?? .automatic
        let given = fields.field("clear", RuleFields.amountText, RuleFields.amount)
        let place = node["clear"]?.place
        switch (above, given) {
        case (.percent(let above), nil):
            return .high(above: .percent(above), clear: .percent(max(0, above - 5)), of: basis)
        case (.bytes(let above), nil):
            return .high(above: .bytes(above), clear: .bytes(above - above / 20), of: basis)
        case (.percent(let high), .percent(let low)) where low <= high: break
        case (.bytes(let high), .bytes(let low)) where low <= high: break
        default:
            fields.complain(
                "\(fields.owner): \"clear\" must be of the same kind as \"above\", and not higher",
                at: place)
            return nil
        }
        return given.map { .high(above: above, clear: $0, of: basis) }
    }

    private mutating func spread() -> Rule.Condition? {
        let what = "number of nodes, or share such as 50%"
        func count(_ value: YAML) -> Rule.NodeCount? {
            RuleFields.percent(value).map { .percent($0) }
                ?? RuleFields.positive(value).map { .nodes($0) }
        }
        let pattern = images(isRequired: true)
        let atLeast = fields.field("at_least", what, count)
        let fewerThan = fields.field("fewer_than", what, count)
        switch (atLeast, fewerThan) {
        case (let count?, nil): return pattern.map { .imageSpread($0, .atLeast(count)) }
        case (nil, let count?): return pattern.map { .imageSpread($0, .fewerThan(count)) }
        default:
            if fields.problems.isEmpty {
                fields.complain(
                    "\(fields.owner) needs either \"at_least\" or \"fewer_than\": a \(what)")
            }
            return nil
        }
    }

    private mutating func images(isRequired: Bool) -> ImagePattern? {
        let wanted = fields.strings("images")
        let unwanted = fields.strings("except") ?? []
        if wanted == nil, unwanted.isEmpty, fields.problems.isEmpty {
            fields.complain(
                "\(fields.owner) lacks \"images\": names with * and ?, or sha256:… digests")
            return nil
        }
        return ImagePattern(wanted ?? [], except: unwanted)
    }
}

extension Rule.Condition {
    /// `for`, where a rule does not say.
    var usualHold: Duration {
        switch self {
        case .high: .seconds(600)
        case .diskPressure: .seconds(120)
        default: .zero
        }
    }
}
