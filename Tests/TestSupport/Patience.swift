/// How long tests wait for what must come before they say that it never did. Long enough for every
/// test at once on two busy cores; sanitizers, in builds for debugging, take longer still.
public enum Patience {
    /// For a test as a whole.
    public static let minutes = isSlow ? 10 : 3

    /// For one thing within a test.
    public static let limit = Duration.seconds(30 * minutes)

    /// Whether what takes seconds elsewhere takes minutes: less of it will do.
    #if DEBUG
        package static let isSlow = true
    #else
        package static let isSlow = false
    #endif
}
