public import NodeWatch

/// Which images a rule is about: names with `*` and `?`, or digests.
///
/// A pattern without a tag stands for the repository with any tag or digest, and one without a
/// registry for the repository in any registry: kubelets list five names of an image at most, and the
/// one you know may be missing.
public struct ImagePattern: Sendable, Hashable {
    private var wanted: [Name]
    private var unwanted: [Name]

    private enum Name: Sendable, Hashable {
        case digest(String)
        /// Of the whole name, or of the repository alone.
        case glob(Glob, inAnyRegistry: Glob, ofRepository: Bool)

        init(_ text: String) {
            if text.hasPrefix("sha256:") {
                self = .digest(text)
                return
            }
            let last = text.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
            self = .glob(
                Glob(text), inAnyRegistry: Glob("*/" + text),
                ofRepository: !last.contains(":") && !last.contains("@"))
        }

        func matches(_ name: String) -> Bool {
            switch self {
            case .digest(let digest): return name.hasSuffix("@" + digest)
            case .glob(let glob, let inAnyRegistry, let ofRepository):
                let text = ofRepository ? ImageReference(name).repository : name
                return glob.matches(text) || inAnyRegistry.matches(text)
            }
        }
    }

    /// As they were written.
    public let texts: [String]

    /// Images that match one of `wanted` and none of `unwanted`; no `wanted` stands for all.
    public init(_ wanted: [String], except unwanted: [String] = []) {
        texts = wanted + unwanted.map { "not \($0)" }
        self.wanted = wanted.map(Name.init)
        self.unwanted = unwanted.map(Name.init)
    }

    /// Whether an image is meant.
    public func matches(_ image: ContainerImage) -> Bool {
        let names = image.names
        func isMeant(_ pattern: Name) -> Bool { names.contains { pattern.matches($0) } }
        return (wanted.isEmpty || wanted.contains(where: isMeant))
            && !unwanted.contains(where: isMeant)
    }
}
