public import ImageAlerts
import KubeClient

/// What the service does, and by which rules; all of it sound.
public struct ServiceConfiguration: Sendable {
    /// What is set outside the file and cannot be used.
    public struct Invalid: Error, Sendable, CustomStringConvertible {
        /// A line each: where it is set, and what would be right.
        public var description: String
    }

    /// What is set.
    public var settings: ServiceSettings
    /// What makes alerts, and who is told.
    public var alerting: RuleFile

    /// Reads what is set. A flag counts more than the environment, that more than the file, that more than
    /// the default.
    ///
    /// - Parameters:
    ///   - bytes: The file, YAML or JSON; nil: there is none, and every change is told.
    ///   - name: What the file is called in errors.
    ///   - environment: Variables, of which those that are named like a setting count.
    ///   - flags: Texts of the command line by the keys of settings.
    /// - Throws: ``RuleFile/Invalid`` with all that is wrong in the file, else ``Invalid``.
    public init(
        _ bytes: [UInt8]?, name: String, environment: [String: String] = [:],
        flags: [String: String] = [:]
    ) throws {
        var settings = ServiceSettings()
        if let bytes {
            var inFile = settings
            alerting = try RuleFile(
                bytes, name: name,
                section: RuleFile.Section(Self.key) { node, fields in
                    var section = RuleFields(node, owner: "\"\(Self.key)\"")
                    for setting in ServiceSettings.all {
                        _ = section.field(setting.key, setting.what) { value in
                            value.string.flatMap { inFile.set(setting, $0) ? true : nil }
                        }
                    }
                    section.finish()
                    fields.take(over: section.problems)
                })
            settings = inFile
        } else {
            alerting = RuleFile(rules: [.storageChanged])
        }
        var problems: [String] = []
        for setting in ServiceSettings.all {
            for (place, text) in [
                (setting.variable, environment[setting.variable]),
                (setting.flag, flags[setting.key]),
            ] {
                guard let text, !settings.set(setting, text) else { continue }
                problems.append("\(place): \"\(text)\" is no \(setting.what)")
            }
        }
        if (settings.tlsCertificate == nil) != (settings.tlsKey == nil) {
            problems.append("tls_certificate and tls_key go together; one of them is missing")
        }
        if settings.electsLeader,
            settings.retryPeriod >= settings.renewDeadline
                || settings.renewDeadline >= settings.leaseDuration
        {
            problems.append("it must be retry_period < renew_deadline < lease_duration")
        }
        if !problems.isEmpty { throw Invalid(description: problems.joined(separator: "\n")) }
        self.settings = settings
    }

    private static let key = "service"

    /// The JSON Schema (draft 2020-12) of the file.
    public static var schema: String {
        let properties = ServiceSettings.all.map { setting in
            (
                setting.key,
                JSONValue.object(
                    setting.schema.merging(["description": .string(setting.meaning)]) { $1 })
            )
        }
        return RuleFile.schema(with: [
            key: [
                "type": "object", "additionalProperties": false,
                "properties": .object(Dictionary(uniqueKeysWithValues: properties)),
            ]
        ])
    }
}
