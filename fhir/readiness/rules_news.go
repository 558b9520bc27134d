package readiness

import (
	"cmp"
	"slices"
	"strings"
)

// R14 new-information-since-clearance: something on the practice's watch list was recorded after the decision that clears,
// or before it and first told after it. What it means is for the prescriber to say, and any newer decision of theirs answers it.
//
//	recorded of what is on the list        the decision that counts           finding
//	after that decision                    clears                             S1 or S2, as its row says: ask the prescriber
//	after that decision                    clears, and a newer one was made   none: answered
//	                                         since, whatever it says
//	before, or at the same moment          clears                             none: it was decided with it
//	  … but first told after that          clears                             S2: ask whether the prescriber knew of it
//	    decision
//	  … and what was on file before the    clears                             none: nobody can say when it was told first
//	    hub first read this client there
//	  … and it is the prescriber's own     clears                             none: they knew
//	anything                               none that clears                   none: R09 or R12 says it
//	by another prescriber                  clears                             the same, without a word on what it is
//	entered in error, refuted, not taken,  –                                  none
//	  an answer that says nothing new
//	nothing, or the list is empty          –                                  none
//
// All that one row of the list finds is one finding.
func newInformation(f *facts) (out []Finding) {
	all := f.news()
	if len(all) == 0 {
		return nil
	}
	d := f.decided()
	if d == nil || f.stopped() != nil || !d.clearing() {
		return nil
	}
	all = slices.DeleteFunc(all, func(n news) bool {
		at := later(n.at, n.told)
		return !at.After(d.issued) || f.decidedAfter(at)
	})
	slices.SortFunc(all, func(a, b news) int {
		return cmp.Or(a.at.Compare(b.at), strings.Compare(a.of.String(), b.of.String()))
	})
	seen := map[string]int{}
	for _, n := range all {
		about := n.row.System + "|" + n.row.Code.Code
		late := !n.at.After(d.issued) // heard of since, and older than the decision
		if late {
			about += "|late"
		}
		if f.foreign(n.of) {
			about += "|elsewhere"
		}
		if i, again := seen[about]; again {
			out[i].Because = append(out[i].Because, because(n.of)...)
			continue
		}
		seen[about] = len(out)
		what := f.unless(n.of, n.row.Words, "something that is on the watch list")
		if late {
			words := begin(f.title(n.of)) + " first told of " + what + f.unless(n.of, " of "+f.on(n.at), "") + " on " + f.on(n.told) + ", after the decision of " + f.on(d.issued)
			out = append(out, found(S2, about, words, "ask "+f.prescriber()+f.phones()+" whether they knew of it, and whether the clearance holds", n.of, d.Version))
			continue
		}
		words := begin(f.title(n.of)) + " recorded " + what + " on " + f.on(n.at) + ", after the decision of " + f.on(d.issued)
		out = append(out, found(Severity(n.row.Severity), about, words, "tell "+f.prescriber()+f.phones()+" and ask whether the clearance holds", n.of, d.Version))
	}
	return out
}
