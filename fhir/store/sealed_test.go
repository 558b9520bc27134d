package store

import (
	"bytes"
	"errors"
	"testing"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/plan"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func setsApart(t *testing.T, dsn string) {
	w, course, client := enrolledWorld(t, dsn)
	label := fhirtest.Set("meta.security", []map[string]string{{"system": fhir.SystemActCode, "code": "PSYTHPN"}})
	at := course.On(w.now)
	plain, notes, more := at.Flag("active"), at.Flag("active", label), at.Flag("inactive", label)
	flags := func() []fhir.Seen[fhir.Flag] { return fhir.Now(w.chart(client).Flags) }
	waiting := func(all bool) []fhir.Sealed {
		list, err := w.Sealed(w.ctx, all)
		w.must(err)
		return list
	}
	whole := func(what string) {
		t.Helper()
		report, err := w.VerifyAudit(w.ctx, nil)
		w.must(err)
		want(t, what+": broken or altered", len(report.Broken)+len(report.Altered), 0)
	}

	w.receive(skylight, page(plain))
	want(t, "an ordinary stop is in the chart", len(flags()), 1)
	want(t, "one version is sealed", w.receive(skylight, page(notes)).Sealed, 1)
	want(t, "the chart knows that something waits", len(w.chart(client).Sealed), 1)
	want(t, "and that it could bear on safety", w.chart(client).Sealed[0].Bears, true)
	want(t, "the version before stands meanwhile", len(flags()), 1)
	want(t, "the client is judged again", len(w.stale()) > 0, true)
	want(t, "it is not sealed twice", w.receive(skylight, page(notes)).Sealed, 0)
	one := waiting(false)[0]
	body, err := w.Unseal(w.ctx, "priv", one.ID, "to look at it")
	w.must(err)
	want(t, "opened, it is what was received", bytes.Equal(body, notes.Resource.Body), true)
	whole("while it waits")
	stored, err := w.read.SealedOne(w.ctx, one.ID)
	w.must(err)
	want(t, "the table does not tell", bytes.Contains([]byte(stored.Body), []byte("resourceType")), false)

	w.must(w.Admit(w.ctx, "priv", one.ID, "it is no note"))
	want(t, "admitted, it is the newest version", len(flags()), 1)
	want(t, "of the two", flags()[0].Resource.Hash, notes.Resource.Hash)
	want(t, "nothing waits", len(w.chart(client).Sealed)+len(waiting(false)), 0)
	want(t, "in the same words it is not sealed again", w.receive(skylight, page(notes)), Changed{})
	want(t, "decided on is decided on", errors.Is(w.Expunge(w.ctx, "priv", one.ID, "or not"), exchange.ErrConflict), true)
	whole("after it was admitted")

	want(t, "other words are", w.receive(skylight, page(more)).Sealed, 1)
	two := waiting(false)[0]
	w.must(w.Expunge(w.ctx, "priv", two.ID, "psychotherapy notes"))
	want(t, "nobody is judged by what its owner has replaced", len(flags()), 0)
	want(t, "nothing waits", len(w.chart(client).Sealed), 0)
	_, err = w.Unseal(w.ctx, "priv", two.ID, "once more")
	want(t, "its content is gone", errors.Is(err, exchange.ErrNotFound), true)
	w.receive(skylight, page(more))
	want(t, "and does not come back", len(waiting(false))+len(flags()), 0)
	all := waiting(true)
	want(t, "that there was something stays", len(all), 2)
	want(t, "with who decided and why", all[1].Outcome+" "+all[1].By+": "+all[1].Why, "expunged priv: psychotherapy notes")
	whole("after it was expunged")
	past, err := w.Chart(w.ctx, client, two.Moment)
	w.must(err)
	want(t, "as of then it waited", len(past.Sealed), 1)

	stranger := fhirtest.Nth(2, w.now)
	want(t, "of who is nobody's client nothing is kept, not even sealed", w.receive(skylight, page(stranger.Flag("active", label))).Sealed, 0)
	w.exec(`UPDATE sealed SET body = (SELECT body FROM sealed WHERE id = '` + one.ID + `') WHERE id = '` + two.ID + `'`)
	_, err = w.Unseal(w.ctx, "priv", two.ID, "once more")
	want(t, "what is moved to another row cannot be read", err != nil, true)
	w.exec(`UPDATE sealed SET reason = 'else' WHERE id = '` + one.ID + `'`)
	report, err := w.VerifyAudit(w.ctx, nil)
	w.must(err)
	want(t, "a changed row is found", len(report.Altered) > 0, true)
}

func sealedFollows(t *testing.T, dsn string) {
	w, one, client := enrolledWorld(t, dsn)
	two := fhirtest.Nth(2, w.now)
	w.receive(ehr, page(two.PatientHere(), two.Referral()))
	other := w.client(ehr, two.Patient)
	label := fhirtest.Set("meta.security", []map[string]string{{"system": fhir.SystemActCode, "code": "PSYTHPN"}})
	flag := one.On(w.now).Flag("active", label)
	w.receive(skylight, page(flag))
	want(t, "it waits for the client", len(w.chart(client).Sealed), 1)

	w.must(w.Undo(w.ctx, "ann", w.pairID(skylight.Name, "s-"+one.Patient, client), "", "another person"))
	want(t, "parted from the record, the client is not in doubt for it", len(w.chart(client).Sealed), 0)
	w.link(skylight, "s-"+one.Patient, other)
	want(t, "whose record it is now, is", len(w.chart(other).Sealed), 1)
	w.decide(w.verdict(other, readiness.Unknown), plan.Changes{})
	list, err := w.Sealed(w.ctx, false)
	w.must(err)
	w.must(w.Admit(w.ctx, "priv", list[0].ID, "it is no note"))
	want(t, "admitted, it stands in that chart", len(fhir.Now(w.chart(other).Flags)), 1)
	moved := false
	for _, e := range w.stale() {
		moved = moved || e.Client == other
	}
	want(t, "and has that client judged again", moved, true)

	w.link(skylight, "s-again", client)
	mine := one.On(w.now).Told(skylight.Name, skylight.Party, `{"resourceType":"Observation","id":"x","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/s-again"}}`)
	w.receive(skylight, page(mine))
	before := len(fhir.Now(w.chart(client).Observations))
	theirs := one.On(w.now).Told(skylight.Name, skylight.Party, `{"resourceType":"Observation","id":"x","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/s-`+one.Patient+`"}}`, label)
	w.receive(skylight, page(theirs))
	want(t, "is sealed for whom it is about now", len(w.chart(other).Sealed), 1)
	want(t, "and gone for whom it was about before", len(fhir.Now(w.chart(client).Observations)), before-1)
}
