/// How long tests wait for what must come before they say that it never did. Long enough for every
/// test at once on two cores; sanitizers, in builds for debugging, take ten times as long.
public enum Patience {
    #if DEBUG
        public static let minutes = 10
    #else
        public static let minutes = 1
    #endif

    /// For one thing within a test.
    public static let limit = Duration.seconds(30 * minutes)
}
