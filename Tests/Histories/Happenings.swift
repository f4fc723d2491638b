/// What happens by itself in a history, one thing after another.
package protocol Happenings {
    /// When something happens next.
    var next: Duration { get }
    /// Lets happen what is due first.
    mutating func happen(in scene: some Scene)
}
