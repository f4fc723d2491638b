import WatchEngine

/// What the client runs on.
public enum LibraryVersions {
    /// libcurl with its companions and yajl, with their versions.
    public static var text: String { String(cString: plm_library_versions()) }
}
