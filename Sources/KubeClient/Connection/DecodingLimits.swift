import WatchEngine

/// Bounds that keep memory finite whatever a server sends. Errors name them as here.
public struct DecodingLimits: Sendable, Hashable {
    /// A bound by the name that errors call it.
    public enum Name: String, Sendable, CaseIterable {
        /// One object of a list or watch, in bytes; 16 MiB by default. A larger one is left out.
        case maxObjectBytes = "max_object_bytes"
        /// A node's name, in bytes; 253 by default.
        case maxNodeNameBytes = "max_node_name_bytes"
        /// An image's name, in bytes; 4,096 by default.
        case maxImageNameBytes = "max_image_name_bytes"
        /// Images a node lists; 100,000 by default.
        case maxImagesPerNode = "max_images_per_node"
        /// Distinct images of a cluster; 8,388,608 by default.
        case maxImages = "max_images"
    }

    private var values: [Name: Int] = [:]

    /// The defaults.
    public init() {}

    /// A bound; nil: its default. At least 1.
    public subscript(name: Name) -> Int? {
        get { values[name] }
        set { values[name] = newValue.map { max(1, $0) } }
    }

    /// As the engine takes them.
    var engine: plm_limits {
        plm_limits(
            max_object_bytes: values[.maxObjectBytes] ?? 0,
            max_node_name_bytes: values[.maxNodeNameBytes] ?? 0,
            max_image_name_bytes: values[.maxImageNameBytes] ?? 0,
            max_images_per_node: values[.maxImagesPerNode] ?? 0,
            max_images: values[.maxImages] ?? 0, max_body_bytes: 0)
    }
}
