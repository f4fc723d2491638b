import FoundationEssentials
import KubeClient

/// A text that must not be seen: it is read when it is needed, from a file, which may be replaced, or from
/// the environment, and never described.
struct Secret: Sendable, Hashable {
    private enum Place: Sendable, Hashable {
        case file(String)
        case environment(String)
        /// Where it is no secret to whom it belongs: an address without credentials.
        case plain(String)
    }

    private let place: Place

    init(file: String) { place = .file(file) }
    init(environment: String) { place = .environment(environment) }
    init(plain: String) { place = .plain(plain) }

    /// Where it is, for people.
    var description: String {
        switch place {
        case .file(let path): "the file \(path)"
        case .environment(let name): "the environment variable \(name)"
        case .plain: "the configuration"
        }
    }

    /// The text, without spaces and line breaks around it.
    ///
    /// - Throws: `credentials`: where it is missing or empty.
    func read() throws(KubeError) -> String {
        let text: String
        switch place {
        case .plain(let value): return value
        case .environment(let name):
            text = ProcessInfo.processInfo.environment[name] ?? ""
        case .file(let path):
            do throws(KubeError) {
                text = String(decoding: try FileReader.read(path), as: UTF8.self)
            } catch {
                throw KubeError(.credentials, error.message)
            }
        }
        let trimmed = text.trimmed
        guard !trimmed.isEmpty else { throw KubeError(.credentials, "\(description) is empty") }
        return trimmed
    }
}
