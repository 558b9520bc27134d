package readiness

import "time"

// rise is a moment from which a finding is graver. The zero rise never comes.
type rise struct {
	from time.Time
	to   Severity
}

// rising is the severity of a finding now: what it is at first, or the gravest that it rose to. It never falls while time
// alone passes.
//
//	rises                        now            it is
//	none                         –              as at first
//	one                          before it      as at first
//	one                          at or past it  what it rose to
//	several                      past some      the gravest of those
//	one to less than at first    past it        as at first
func (f *facts) rising(first Severity, rises ...rise) Severity {
	is := first
	for _, r := range rises {
		if !r.from.IsZero() && f.clock.passed(r.from) {
			is = min(is, r.to)
		}
	}
	return is
}

// graveFor is how grave it is that s lacks something: S2 for the next session, S3 for one after it, since the verdict is
// about the next one, and a later one has its own when it is next.
func (f *facts) graveFor(s *session) Severity {
	if s == f.next {
		return S2
	}
	return S3
}

// once has a finding rise when so much time has come.
func once(from time.Time, to Severity) rise { return rise{from, to} }

// near has a finding rise so long before a session begins; without a session, never.
func near(s *session, before time.Duration, to Severity) rise {
	if s == nil {
		return rise{}
	}
	return rise{s.start.Add(-before), to}
}
