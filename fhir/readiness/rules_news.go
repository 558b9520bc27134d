package readiness

import (
	"cmp"
	"slices"
	"strings"
)

// R14 new-information-since-clearance: something on the practice's watch list was recorded after the decision that clears.
// What it means is for the prescriber to say, and any newer decision of theirs answers it.
//
//	recorded of what is on the list        the decision that counts           finding
//	after that decision                    clears                             S1 or S2, as its row says: ask the prescriber
//	after that decision                    clears, and a newer one was made   none: answered
//	                                         since, whatever it says
//	before, or at the same moment          clears                             none: it was decided with it
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
	all = slices.DeleteFunc(all, func(n news) bool { return !n.at.After(d.issued) || f.decidedAfter(n.at) })
	slices.SortFunc(all, func(a, b news) int {
		return cmp.Or(a.at.Compare(b.at), strings.Compare(a.of.String(), b.of.String()))
	})
	seen := map[string]int{}
	for _, n := range all {
		about := n.row.System + "|" + n.row.Code.Code
		if f.foreign(n.of) {
			about += "|elsewhere"
		}
		if i, again := seen[about]; again {
			out[i].Because = append(out[i].Because, because(n.of)...)
			continue
		}
		seen[about] = len(out)
		words := begin(f.title(n.of)) + " recorded " + f.unless(n.of, n.row.Words, "something that is on the watch list") + " on " + f.on(n.at) +
			", after the decision of " + f.on(d.issued)
		out = append(out, found(Severity(n.row.Severity), about, words, "tell "+f.prescriber()+f.phones()+" and ask whether the clearance holds", n.of, d.Version))
	}
	return out
}
