package readiness

// Engagement is a client with one prescriber.
type Engagement struct {
	Client, Prescriber string
}

// Standing is the last verdict of an engagement and whether its chart moved since.
type Standing struct {
	Engagement
	Verdict Verdict
	Judged  bool // false: no verdict yet
	Moved   bool
}
