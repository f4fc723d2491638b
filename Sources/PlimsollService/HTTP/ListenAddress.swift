/// Where a server listens: "127.0.0.1:8080", "[::1]:8080", ":8080" for all addresses of this machine,
/// or "8080" for this machine alone.
public struct ListenAddress: Sendable, Hashable {
    /// A name or an address.
    public var host: String
    /// 0: any free one.
    public var port: Int

    /// Nil for what is no address.
    public init?(_ text: String) {
        if let port = Int(text) {
            self.init(host: "127.0.0.1", port)
            return
        }
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...])
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        self.init(host: host.isEmpty ? "0.0.0.0" : String(host), port)
    }

    private init?(host: String, _ port: Int) {
        guard (0...65535).contains(port) else { return nil }
        self.host = host
        self.port = port
    }
}
