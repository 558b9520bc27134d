package readiness

import (
	"strconv"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// anomalyShown is how long a disorder of clocks or versions is told of that no newer record can mend.
const anomalyShown = 7 * 24 * time.Hour

// R47 clock-anomaly: the order of things at a source cannot be trusted. It changes no state: the hub keeps both versions,
// and goes by the newer one.
//
//	on file                                                             finding
//	a version whose source dates it in the future, beyond the skew      S3, until that time has come
//	a version that arrived after a newer one, in the last 7 days        S3
func clockAnomaly(f *facts) (out []Finding) {
	type disorder struct {
		ahead, late int
		first       *fhir.Version
	}
	by := map[string]*disorder{}
	var names []string
	note := func(v *fhir.Version) *disorder {
		d := by[v.Source]
		if d == nil {
			d = &disorder{first: v}
			by[v.Source] = d
			names = append(names, v.Source)
		}
		return d
	}
	before := map[fhir.Key]*fhir.Version{} // of records that were told of again
	eachTold(f.chart, func(v *fhir.Version, latest bool) {
		if !practices(v) && !f.ours(v) {
			return // another prescriber's: their own engagement tells of it
		}
		was := before[v.Key]
		if !latest {
			before[v.Key] = v
		}
		at := v.Resource.LastUpdated
		if v.Gone || at.IsZero() || f.foreign(v) {
			return
		}
		if at.After(v.Received.Add(f.policy.Rules.Skew)) && !f.clock.passed(at.Add(-f.policy.Rules.Skew)) {
			note(v).ahead++
		}
		if was != nil && !was.Gone && at.Before(was.Resource.LastUpdated) && !f.clock.passed(v.Received.Add(anomalyShown)) {
			note(v).late++
		}
	})
	for _, name := range names {
		d := by[name]
		if d.ahead > 0 {
			out = append(out, rolled("R47/"+name, found(S3, name+" ahead", f.place(name)+" dates "+several(d.ahead, "record")+" in the future",
				"have its clock, or the hub's, set right", d.first)))
		}
		if d.late > 0 {
			out = append(out, rolled("R47/"+name, found(S3, name+" late", several(d.late, "older version")+" came from "+f.place(name)+" after a newer one",
				"ask whether records are restored or moved there; the newer version counts", d.first)))
		}
	}
	return out
}

// R49 out-of-scope-content: something arrived that is not the hub's. It is sealed apart until the privacy officer has
// looked at it, by the end of the next business day; then it is expunged or admitted.
//
//	sealed, and could bear on safety      S1, and the client is UNKNOWN meanwhile
//	sealed, of another kind               S1
func outOfScopeContent(f *facts) (out []Finding) {
	for _, s := range f.chart.Sealed {
		what := "A " + s.Type + " from " + f.place(s.Source) + " is out of scope (" + s.Reason + ")"
		if s.Party != fhir.Practice && s.Party != f.policy.Prescriber.Name {
			what = "A record of another prescriber is out of scope" // that much concerns this one
		}
		words := what + " and sealed since " + f.on(s.Received)
		due := Hours{}.Later(s.Received, 1, f.zone)
		if f.clock.passed(due) {
			words += "; it was to be looked at by " + f.on(due)
		}
		out = append(out, found(S1, s.ID, words, string(OpenSealed)+", then admit it or have it expunged").due(due))
	}
	return out
}

// rolled has a finding shown as one row with all of its key.
func rolled(key string, r Finding) Finding {
	r.RollUp = key
	return r
}

func several(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}
