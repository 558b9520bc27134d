package readiness

import "github.com/kaphub/kaphub/fhir"

// R54 task-anomalous
//
//	step of a coordination Task                       since                                        finding
//	its guide knows it, or it was agreed upon         –                                            none
//	versions in between were not seen, and lead there –                                            none
//	its guide does not know it                        nothing                                      S2
//	its guide does not know it                        a step that the guide knows, or a decision   none
//	the practice's own Task moved by the practice as only the prescriber may                       S2
//
// The prescriber's record is the truth about its own Task: the finding asks, and refuses nothing.
func taskAnomalous(f *facts) (out []Finding) {
	task := f.task()
	if task != nil && task.live() {
		if o := f.oddStep(task, Filler); o != nil {
			out = append(out, f.oddity(task.Version, o))
		}
	}
	for i := range f.placed {
		if o := f.oddStep(&f.placed[i], Placer); o != nil && f.placed[i].live() {
			out = append(out, f.oddity(f.placed[i].Version, o))
		}
	}
	return out
}

func (f *facts) oddity(task *fhir.Version, o *odd) Finding {
	who, ask := f.prescriber(), "ask "+f.prescriber()+" what is meant"
	if o.by == Placer {
		who, ask = "The practice", "have the Task put right: that step is "+f.prescriber()+"'s to take"
	}
	return found(S2, task.String(), who+" moved the referral from "+o.from+" to "+o.to+" on "+f.on(o.at.Recorded())+", which the agreed way of working does not know", ask, o.at)
}
