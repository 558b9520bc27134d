package store

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/plan"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/fhir/store/storetest"
)

func TestWhoIsWhoSQLite(t *testing.T) {
	whoIsWho(t, func(t testing.TB) string { return filepath.Join(t.TempDir(), "kaphub.db") })
}

func TestWhoIsWhoPostgres(t *testing.T) { whoIsWho(t, storetest.Postgres) }

func whoIsWho(t *testing.T, fresh func(testing.TB) string) {
	for _, c := range []struct {
		name string
		test func(*testing.T, string)
	}{
		{"who registered before the referral came is proposed, whichever side is told first", registeredBefore},
		{"what is proposed, and what is not", proposes},
		{"what was refused is asked again only when something new agrees", refuses},
		{"linked, parted, refused, confirmed again: the last word counts", torture},
		{"a tie that shows later puts the link in doubt and keeps its records", lateTie},
		{"a number that vanishes ends no link", vanishes},
		{"whatever the order of arrival, the same links and the same questions", anyOrder},
		{"what rested on a link is listed", rested},
		{"no name, number or date lies in the tables of evidence", conceals},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, fresh(t)) })
	}
}

// someone is a Patient of a server, with what the server has of them.
type someone struct {
	src  Source
	id   string
	with []fhir.Resource
}

// town is what both servers have, and a hub that reads them: each change is told, and whoever is new is read back.
type town struct {
	*world
	people map[string]*someone
}

func newTown(w *world) *town { return &town{w, map[string]*someone{}} }

func (w *town) has(src Source, id string, resources ...fhir.Resource) {
	w.Helper()
	key := src.Name + "/" + id
	if w.people[key] == nil {
		w.people[key] = &someone{src: src, id: id}
	}
	p := w.people[key]
	for _, r := range resources {
		p.with = append(slices.DeleteFunc(p.with, func(old fhir.Resource) bool { return old.Ref() == r.Ref() }), r)
	}
	w.receive(src, exchange.Page{Resources: resources, Complete: true})
	w.readBack()
}

func (w *town) readBack() {
	w.Helper()
	for range 4 {
		for _, src := range []Source{ehr, skylight} {
			r, err := w.Roster(w.ctx, src)
			w.must(err)
			for _, id := range r.New {
				if p := w.people[src.Name+"/"+id]; p != nil {
					w.receive(src, exchange.Page{Resources: p.with, Swept: []string{id}, Complete: true})
				}
			}
		}
	}
}

// patient is a Patient of its own making: "mrn=X birth=1990-01-01 family=Roe given=Ann phone=303 555 0100 mail=a@b.c chosen=Bo".
func (w *world) patient(id, traits string) fhir.Resource {
	w.Helper()
	said := map[string]string{}
	key := ""
	for _, word := range strings.Fields(traits) {
		if k, v, ok := strings.Cut(word, "="); ok {
			key, word = k, v
		} else {
			word = " " + word
		}
		said[key] += word
	}
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	add(`"resourceType":"Patient","id":%q`, id)
	var ids, names, telecom []string
	for _, n := range strings.Fields(strings.ReplaceAll(said["mrn"], "+", " ")) {
		ids = append(ids, fmt.Sprintf(`{"system":"https://reverie.example/mrn","value":%q}`, n))
	}
	if len(ids) > 0 {
		add(`"identifier":[%s]`, strings.Join(ids, ","))
	}
	if said["family"] != "" || said["given"] != "" {
		name := `{"use":"official"`
		if said["family"] != "" {
			name += fmt.Sprintf(`,"family":%q`, said["family"])
		}
		if said["given"] != "" {
			name += fmt.Sprintf(`,"given":[%q]`, said["given"])
		}
		names = append(names, name+"}")
	}
	if said["chosen"] != "" {
		names = append(names, fmt.Sprintf(`{"use":"usual","given":[%q]}`, said["chosen"]))
	}
	if len(names) > 0 {
		add(`"name":[%s]`, strings.Join(names, ","))
	}
	for kind, of := range map[string]string{"phone": "phone", "email": "mail"} {
		if said[of] != "" {
			telecom = append(telecom, fmt.Sprintf(`{"system":%q,"value":%q}`, kind, said[of]))
		}
	}
	slices.Sort(telecom)
	if len(telecom) > 0 {
		add(`"telecom":[%s]`, strings.Join(telecom, ","))
	}
	if said["birth"] != "" {
		add(`"birthDate":%q`, said["birth"])
	}
	r, err := fhir.Parse([]byte("{"+strings.Join(parts, ",")+"}"), "")
	w.must(err)
	return r
}

// referral makes the practice's patient a client.
func (w *world) referral(patient string) fhir.Resource {
	w.Helper()
	return fhirtest.Nth(1, w.now).Referral(fhirtest.Set("id", "referral-"+patient), fhirtest.Set("subject.reference", "Patient/"+patient)).Resource
}

// asked is how the pairs stand: "client-of-p1~s1 linked", in order.
func (w *world) asked() []string {
	w.Helper()
	list, err := w.Pairs(w.ctx)
	w.must(err)
	of := map[string]string{}
	for _, p := range list {
		if p.Party == fhir.Practice && p.Linked {
			of[p.Client] = p.Patient
		}
	}
	var out []string
	for _, p := range list {
		if p.Party == fhir.Practice {
			continue
		}
		state := "refused"
		switch {
		case p.Open && p.Linked:
			state = "in doubt"
		case p.Open:
			state = "open"
		case p.Linked:
			state = p.How
		case !p.Refused():
			state = "parted"
		}
		out = append(out, of[p.Client]+"~"+p.Patient+" "+state)
	}
	slices.Sort(out)
	return out
}

func (w *world) says(t *testing.T, what, want string) {
	t.Helper()
	if got := strings.Join(w.asked(), ", "); got != want {
		t.Fatalf("%s: got %q, want %q", what, got, want)
	}
}

// pairOf is the pair of a practice's client and a prescriber's patient.
func (w *world) pairOf(here, there string) Pair {
	w.Helper()
	list, err := w.Pairs(w.ctx)
	w.must(err)
	for _, p := range list {
		if p.Patient == there && p.Client == w.client(ehr, here) {
			return p
		}
	}
	w.Fatalf("no pair of %s and %s", here, there)
	return Pair{}
}

const juniper = "birth=1990-04-01 family=Roe given=Jennifer chosen=Juniper phone=+1 (303) 555-0177 mail=Juniper@Example.org"

func registeredBefore(t *testing.T, dsn string) {
	for _, order := range [][]string{{"there", "patient", "referral"}, {"patient", "referral", "there"}, {"referral", "there", "patient"}} {
		w := newTown(newWorld(t, dsn))
		for _, what := range order {
			switch what {
			case "there":
				w.has(skylight, "s1", w.patient("s1", "mrn=SKY-1 birth=1990-04-01 family=Roë given=Juniper phone=3035550177"))
			case "patient":
				w.has(ehr, "p1", w.patient("p1", "mrn=RV-1 "+juniper))
			case "referral":
				w.has(ehr, "p1", w.referral("p1"))
			}
		}
		w.says(t, strings.Join(order, ", "), "p1~s1 open")
		p := w.pairOf("p1", "s1")
		want(t, "evidence", spell(p.Evidence), "birth date=agrees; family name=agrees; given name=agrees; phone=agrees; e-mail=not on file")
		links := w.chart(p.Client).Links
		want(t, "in the chart", len(links), 2)
		want(t, "as a candidate", links[1].How, fhir.Candidate)
		want(t, "likely", links[1].Likely(), true)
		want(t, "nothing of theirs is kept", len(w.chart(p.Client).Patients), 1)
		w.must(w.Confirm(w.ctx, "admin", p.ID, ""))
		w.readBack()
		w.says(t, "confirmed", "p1~s1 person")
		want(t, "read back", len(w.chart(p.Client).Patients), 2)
		w.exec("DELETE FROM version; DELETE FROM link; DELETE FROM digest; DELETE FROM trait; DELETE FROM ruling; DELETE FROM cursor; DELETE FROM engagement; DELETE FROM lease")
		w.must(w.Close())
	}
}

func proposes(t *testing.T, dsn string) {
	w := newTown(newWorld(t, dsn))
	w.has(ehr, "p1", w.patient("p1", "mrn=RV-1 "+juniper), w.referral("p1"))
	for _, c := range []struct{ name, there, state string }{
		{"another birth date, all else the same", "birth=1990-04-02 family=Roe given=Juniper phone=3035550177 mail=juniper@example.org", ""},
		{"no birth date", "family=Roe given=Juniper phone=3035550177", ""},
		{"a birth year alone", "birth=1990 family=Roe given=Juniper phone=3035550177", ""},
		{"born on the same day", "birth=1990-04-01 family=Poe given=Ann", ""},
		{"and the same given name", "birth=1990-04-01 family=Poe given=Juniper", ""},
		{"and the same phone", "birth=1990-04-01 family=Poe given=Ann phone=303.555.0177", ""},
		{"the family name", "birth=1990-04-01 family=ROE given=Ann", "open"},
		{"a family name that sounds so, and the chosen name", "birth=1990-04-01 family=Rowe given=juniper", "open"},
		{"a family name that sounds so, alone", "birth=1990-04-01 family=Rowe given=Ann", ""},
		{"a compound family name, and the legal name", "birth=1990-04-01 family=Roe-Miller given=Jennifer", "open"},
		{"another family name, chosen name and phone", "birth=1990-04-01 family=Smith given=Juniper phone=001-303-555-0177", "open"},
		{"phone and e-mail", "birth=1990-04-01 mail=JUNIPER@example.org phone=13035550177", "open"},
	} {
		w.has(skylight, "s1", w.patient("s1", c.there))
		expect := ""
		if c.state != "" {
			expect = "p1~s1 " + c.state
		}
		w.says(t, c.name, expect)
	}
}

func refuses(t *testing.T, dsn string) {
	w := newTown(newWorld(t, dsn))
	w.has(ehr, "p1", w.patient("p1", "mrn=RV-1 "+juniper), w.referral("p1"))
	w.has(skylight, "s1", w.patient("s1", "birth=1990-04-01 family=Roe given=Ann"))
	p := w.pairOf("p1", "s1")
	wantError(t, w.Undo(w.ctx, "admin", p.ID, "", "x"), exchange.ErrConflict)
	w.must(w.Refuse(w.ctx, "admin", p.ID, "", "her sister"))
	w.says(t, "refused", "p1~s1 refused")
	wantError(t, w.Confirm(w.ctx, "another", p.ID, p.Seen()), ErrMoved) // who saw it before, at another replica perhaps
	w.says(t, "the first one's word stands", "p1~s1 refused")
	wantError(t, w.Refuse(w.ctx, "admin", p.ID, "", "again"), exchange.ErrConflict)
	wantError(t, w.Refuse(w.ctx, "admin", "l-0", "", "nobody"), exchange.ErrNotFound)
	want(t, "why", w.pairOf("p1", "s1").Rulings[0].Reason, "her sister")
	w.has(skylight, "s1", w.patient("s1", "birth=1990-04-01 family=Roe given=Ann phone=303-555-9999"))
	w.says(t, "a phone of her own", "p1~s1 refused")
	w.has(skylight, "s1", w.patient("s1", "birth=1990-04-01 family=Roe given=Ann phone=303-555-0177"))
	w.says(t, "the same phone", "p1~s1 open")
	w.must(w.Refuse(w.ctx, "admin", p.ID, "", "they live together"))
	w.has(skylight, "s1", w.patient("s1", "birth=1990-04-01 family=Roe given=Ann"))
	w.has(skylight, "s1", w.patient("s1", "birth=1990-04-01 family=Roe given=Ann phone=303-555-0177"))
	w.says(t, "what agreed before", "p1~s1 refused")
	w.has(skylight, "s1", w.patient("s1", "mrn=RV-1 birth=1990-04-01 family=Roe given=Ann"))
	w.says(t, "a shared number after a no is no link, but a question", "p1~s1 open")
	w.must(w.Confirm(w.ctx, "admin", p.ID, ""))
	w.says(t, "confirmed", "p1~s1 person")
	report, err := w.VerifyAudit(w.ctx, nil)
	w.must(err)
	want(t, "altered", strings.Join(report.Altered, ","), "")
	w.exec("UPDATE ruling SET said = 'confirmed'")
	report, err = w.VerifyAudit(w.ctx, nil)
	w.must(err)
	want(t, "a word put into a person's mouth", len(report.Altered), 2)
}

func torture(t *testing.T, dsn string) {
	w := newTown(newWorld(t, dsn))
	w.has(ehr, "p1", w.patient("p1", "mrn=RV-1 "+juniper), w.referral("p1"))
	w.has(ehr, "p2", w.patient("p2", "mrn=RV-2 birth=1990-04-01 family=Roe given=Ann"), w.referral("p2"))
	w.has(skylight, "s1", w.patient("s1", "birth=1990-04-01 family=Roe given=Juniper"))
	w.says(t, "one patient, two clients", "p1~s1 open, p2~s1 open")
	first, second := w.pairOf("p1", "s1"), w.pairOf("p2", "s1")
	want(t, "tied", fmt.Sprint(first.TiedClients, second.TiedClients), fmt.Sprintf("[%s] [%s]", second.ID, first.ID))

	w.must(w.Confirm(w.ctx, "admin", second.ID, ""))
	w.says(t, "the wrong one", "p1~s1 refused, p2~s1 person")
	wantError(t, w.Confirm(w.ctx, "admin", first.ID, ""), exchange.ErrConflict) // the patient is another's
	want(t, "judged again", len(w.stale()), 2)
	for _, e := range w.stale() {
		v := w.verdict(e.Client, readiness.Unknown)
		w.decide(v, plan.Changes{})
	}
	w.must(w.Undo(w.ctx, "admin", second.ID, "", "misread"))
	w.says(t, "undone: asked again", "p1~s1 refused, p2~s1 open")
	want(t, "judged again", slices.Contains(w.stale(), Engagement{Client: second.Client, Prescriber: fhirtest.Prescriber}), true)
	w.must(w.Refuse(w.ctx, "admin", second.ID, "", "not her"))
	w.says(t, "and turned down", "p1~s1 refused, p2~s1 refused")
	w.must(w.Confirm(w.ctx, "admin", first.ID, ""))
	w.says(t, "a no is taken back", "p1~s1 person, p2~s1 refused")
	w.has(skylight, "s1", w.patient("s1", "mrn=RV-1 birth=1990-04-01 family=Roe given=Juniper"))
	w.says(t, "the number comes later", "p1~s1 person, p2~s1 refused")
	w.must(w.Undo(w.ctx, "admin", first.ID, "", "again"))
	w.says(t, "a number links nobody whom a person parted", "p1~s1 open, p2~s1 refused")
	for range 3 {
		w.must(w.Confirm(w.ctx, "admin", first.ID, ""))
		w.must(w.Undo(w.ctx, "admin", first.ID, "", "to and fro"))
	}
	w.must(w.Confirm(w.ctx, "admin", first.ID, ""))
	w.readBack()
	w.says(t, "at last", "p1~s1 person, p2~s1 refused")
	want(t, "words kept", len(w.pairOf("p1", "s1").Rulings), 10)
	want(t, "one record of them here, one there", len(fhir.Now(w.chart(first.Client).Patients)), 2)
	report, err := w.VerifyAudit(w.ctx, nil)
	w.must(err)
	want(t, "altered", strings.Join(report.Altered, ","), "")
}

func lateTie(t *testing.T, dsn string) {
	w := newTown(newWorld(t, dsn))
	w.has(ehr, "p1", w.patient("p1", "mrn=RV-1 birth=1990-04-01 family=Roe"), w.referral("p1"))
	w.has(skylight, "s1", w.patient("s1", "mrn=RV-1 birth=1990-04-01 family=Roe"))
	w.says(t, "one and one", "p1~s1 identifier")
	w.has(ehr, "p2", w.patient("p2", "mrn=RV-1 birth=1991-04-01 family=Roe"), w.referral("p2"))
	w.says(t, "the practice wrote her down twice", "p1~s1 in doubt, p2~s1 open")
	twice, err := w.Twice(w.ctx)
	w.must(err)
	want(t, "and is told so", len(twice), 1)
	want(t, "her records stay in the chart", len(fhir.Now(w.chart(w.client(ehr, "p1")).Patients)), 2)
	w.has(ehr, "p2", w.patient("p2", "mrn=RV-2 birth=1991-04-01 family=Roe"))
	w.says(t, "and corrects it", "p1~s1 identifier")
	w.has(skylight, "s2", w.patient("s2", "mrn=RV-1 birth=1990-04-01 family=Roe"))
	w.says(t, "the prescriber wrote her down twice", "p1~s1 in doubt, p1~s2 open")
	w.must(w.Refuse(w.ctx, "admin", w.pairOf("p1", "s2").ID, "", "another Roe"))
	w.says(t, "settled", "p1~s1 identifier, p1~s2 refused")
	w.has(ehr, "p3", w.patient("p3", "mrn=RV-1+RV-3 birth=1990-04-01 family=Roe"), w.referral("p3"))
	w.says(t, "a third", "p1~s1 in doubt, p1~s2 refused, p3~s1 open, p3~s2 open")
	w.must(w.Confirm(w.ctx, "admin", w.pairOf("p1", "s1").ID, ""))
	w.says(t, "what is in doubt can be confirmed", "p1~s1 person, p1~s2 refused, p3~s1 refused, p3~s2 identifier")
	want(t, "and needs no reading anew", w.chart(w.client(ehr, "p1")).Links[1].ReadBack, true)
}

func vanishes(t *testing.T, dsn string) {
	w := newTown(newWorld(t, dsn))
	w.has(ehr, "p1", w.patient("p1", "mrn=RV-1 birth=1990-04-01 family=Roe"), w.referral("p1"))
	w.has(ehr, "p2", w.patient("p2", "mrn=RV-2 birth=1970-01-01 family=Poe"), w.referral("p2"))
	w.has(skylight, "s1", w.patient("s1", "mrn=RV-1 birth=1990-04-01 family=Roe"))
	w.has(skylight, "s1", w.patient("s1", "birth=1990-04-01 family=Roe"))
	w.says(t, "gone at one side", "p1~s1 identifier")
	w.has(skylight, "s1", w.patient("s1", "mrn=RV-2 birth=1990-04-01 family=Roe"))
	w.says(t, "and now it is another's", "p1~s1 in doubt, p2~s1 open")
	w.has(skylight, "s1", w.patient("s1", "birth=1990-04-01 family=Roe"))
	w.must(w.Confirm(w.ctx, "admin", w.pairOf("p1", "s1").ID, ""))
	w.says(t, "a person confirms it without a number", "p1~s1 person")
	wantError(t, w.Confirm(w.ctx, "admin", w.pairOf("p1", "s1").ID, ""), exchange.ErrConflict)
}

// anyOrder makes small towns at random and tells each in two orders.
func anyOrder(t *testing.T, dsn string) {
	w := newWorld(t, dsn)
	towns := 0
	rapid.Check(t, func(rt *rapid.T) {
		type event struct{ src, id, what string }
		if towns++; towns > 30 && isPostgres(dsn) {
			return // a hundred on one engine, thirty on the other
		}
		n := towns
		describe := func(who string) string {
			pick := func(label string, of ...string) string { return rapid.SampledFrom(of).Draw(rt, who+" "+label) }
			traits := ""
			if mrn := pick("mrn", "", "X", "Y", "X+Y", "Z"); mrn != "" {
				for _, m := range strings.Split(mrn, "+") {
					traits += fmt.Sprintf("+%s%d", m, n)
				}
				traits = "mrn=" + traits[1:]
			}
			born := 1000 + n
			if pick("birth", "same", "same", "other") == "other" {
				born += 4000
			}
			traits += fmt.Sprintf(" birth=%d-01-01 family=%s", born, pick("family", "Roe", "Rowe", "Poe"))
			return traits + " given=" + pick("given", "Ann", "Bo") + pick("phone", "", " phone=303555"+fmt.Sprint(1000+n))
		}
		traits := map[string]string{}
		var events []event
		for _, who := range []string{"p1", "p2", "s1", "s2"} {
			traits[who] = describe(who)
			if who[0] == 'p' {
				events = append(events, event{"ehr", who, "referral"})
			}
			events = append(events, event{who[:1], who, "patient"})
		}
		tell := func(name string, events []event) []string {
			tn := newTown(w)
			for _, e := range events {
				id := fmt.Sprintf("%s-%d-%s", e.id, n, name)
				src := Source{Name: map[byte]string{'p': "ehr", 's': "skylight"}[e.id[0]] + name, Party: map[byte]string{'p': fhir.Practice, 's': fhirtest.Prescriber}[e.id[0]]}
				r := w.patient(id, traits[e.id])
				if e.what == "referral" {
					r = w.referral(id)
				}
				tn.hasAs(src, id, name, r)
			}
			return w.askedIn(name, n)
		}
		a := tell("a", events)
		shuffled := rapid.Permutation(events).Draw(rt, "order")
		// The second telling is a town of its own: nothing of the first may match it.
		for who, said := range traits {
			traits[who] = strings.NewReplacer("mrn=", "mrn=b", "+", "+b", "birth=", "birth=2").Replace(said)
			traits[who] = strings.Replace(traits[who], "birth=2"+fmt.Sprint(1000+n), fmt.Sprintf("birth=%d", 3000+n), 1)
			traits[who] = strings.Replace(traits[who], "birth=2"+fmt.Sprint(5000+n), fmt.Sprintf("birth=%d", 7000+n), 1)
		}
		b := tell("b", shuffled)
		if !slices.Equal(a, b) {
			rt.Fatalf("told %v:\n%v\ntold %v:\n%v\ntraits %v", events, a, shuffled, b, traits)
		}
	})
}

// hasAs is has for a server of another name.
func (w *town) hasAs(src Source, id, name string, resources ...fhir.Resource) {
	w.Helper()
	key := src.Name + "/" + id
	if w.people[key] == nil {
		w.people[key] = &someone{src: src, id: id}
	}
	w.people[key].with = append(w.people[key].with, resources...)
	w.receive(src, exchange.Page{Resources: resources, Complete: true})
	for range 2 {
		for _, s := range []string{"ehr", "skylight"} {
			src := Source{Name: s + name, Party: map[string]string{"ehr": fhir.Practice, "skylight": fhirtest.Prescriber}[s]}
			r, err := w.Roster(w.ctx, src)
			w.must(err)
			for _, id := range r.New {
				if p := w.people[src.Name+"/"+id]; p != nil {
					w.receive(src, exchange.Page{Resources: p.with, Swept: []string{id}, Complete: true})
				}
			}
		}
	}
}

// askedIn is asked for the n-th town told under name: a link in doubt is a question like any other.
func (w *world) askedIn(name string, n int) []string {
	w.Helper()
	suffix := fmt.Sprintf("-%d-%s", n, name)
	var out []string
	for _, a := range w.asked() {
		if pair, state, _ := strings.Cut(a, " "); strings.HasSuffix(pair, suffix) {
			if state == "in doubt" {
				state = "open"
			}
			out = append(out, strings.ReplaceAll(pair, suffix, "")+" "+state)
		}
	}
	return out
}

func rested(t *testing.T, dsn string) {
	w, course, client := enrolledWorld(t, dsn)
	there := "s-" + course.Patient
	version := func(source, typ string) fhir.Basis {
		for _, v := range w.chart(client).Tasks {
			if v.Source == source && v.Type == typ {
				return v.Basis()
			}
		}
		return fhir.Basis{}
	}
	outward, homeward, elsewhere, unsent := delivery(client, "", "a"), delivery(client, "", "b"), delivery(client, "", "c"), delivery(client, "", "d")
	outward.Body = []byte(`{"resourceType":"Task","for":{"reference":"Patient/` + there + `"}}`)
	homeward.To, homeward.Rests = fhir.Practice, []fhir.Basis{version("skylight", "Task")}
	elsewhere.Body = []byte(`{"resourceType":"Task","for":{"reference":"Patient/another"}}`)
	elsewhere.Rests = nil
	unsent.Body = outward.Body
	w.decide(w.verdict(client, readiness.InOrder), plan.Changes{Stage: []exchange.Delivery{outward, homeward, elsewhere, unsent}})
	for _, d := range []exchange.Delivery{outward, homeward, elsewhere} {
		f, _, err := w.Attempt(w.ctx, d.ID, time.Minute)
		w.must(err)
		w.must(w.Deliver(w.ctx, f, exchange.Receipt{Outcome: exchange.OutcomeCreated, Ref: fhir.Ref{Type: "Task", ID: d.Occasion}}))
	}
	list, err := w.Pairs(w.ctx)
	w.must(err)
	for _, p := range list {
		if p.Party == fhir.Practice {
			continue
		}
		w.must(w.Undo(w.ctx, "admin", p.ID, "", "another person"))
		hang, err := w.Rested(w.ctx, p)
		w.must(err)
		want(t, "deliveries that rested on it", len(hang), 2)
		want(t, "what was told of them there", hang[0].ID, outward.ID)
		want(t, "what was brought home", hang[1].ID, homeward.ID)
	}
	entries, err := w.Ledger(w.ctx, Engagement{Client: client, Prescriber: fhirtest.Prescriber})
	w.must(err)
	want(t, "nothing is deleted", len(entries), 4)
}

func conceals(t *testing.T, dsn string) {
	w := newTown(newWorld(t, dsn))
	w.has(skylight, "s1", w.patient("s1", "mrn=SKY-1 "+juniper))
	rows, err := w.reader.QueryContext(w.ctx, "SELECT birth, family, sound, given, phone, mail FROM trait")
	w.must(err)
	defer func() { w.must(rows.Close()) }()
	n := 0
	for rows.Next() {
		var kept [6]string
		w.must(rows.Scan(&kept[0], &kept[1], &kept[2], &kept[3], &kept[4], &kept[5]))
		n++
		seen := map[string]bool{}
		for _, list := range kept {
			for _, d := range strings.Fields(list) {
				want(t, "a digest's length", len(d), 24)
				want(t, "twice", seen[d], false)
				seen[d] = true
			}
		}
		want(t, "kinds", len(slices.Collect(maps.Keys(seen))), 7)
	}
	w.must(rows.Err())
	want(t, "patients", n, 1)
}

func eachPatient(t *testing.T, dsn string) {
	w := newWorld(t, dsn)
	families := func() string {
		var names []string
		w.must(w.EachPatient(w.ctx, func(client string, p fhir.Patient) {
			names = append(names, client+" "+*p.Name[0].Family)
		}))
		return strings.Join(names, ", ")
	}
	course := fhirtest.Client(w.now)
	w.receive(ehr, page(course.Referral()))
	client := w.client(ehr, course.Patient)
	want(t, "whose Patient was not read yet", families(), "")
	renamed := func(family string) fhir.Version {
		return course.PatientHere(fhirtest.Set("name", []any{map[string]any{"family": family}}))
	}
	w.receive(ehr, page(renamed("Before")))
	w.receive(ehr, page(renamed("Now")))
	w.receive(skylight, page(course.PatientThere()))
	want(t, "by the newest name, and not by what a prescriber calls them", families(), client+" Now")
	w.receive(ehr, exchange.Page{Gone: []fhir.Ref{{Type: "Patient", ID: course.Patient}}, Complete: true})
	want(t, "whose Patient is gone", families(), "")
}
