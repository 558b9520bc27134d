package main

import (
	"fmt"
	"html"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/console/consoletest"
	"github.com/kaphub/kaphub/cmd/internal/people"
)

// confusable is a client whom one takes for another: by the name, by the birth date, by both but for a day.
type confusable struct {
	id, chosen, given, family, born string
	key                             string // the hub's
}

// birth is the birth date as the console shows it.
func (c *confusable) birth() string {
	born, _ := time.Parse(time.DateOnly, c.born)
	return born.Format("2 January 2006")
}

// A hundred entries about clients whom one takes for another, by somebody who goes by what the pages show and by nothing else:
// each stands at the client who was meant, with other forms open beside it, and a button that is pressed twice, too. It takes
// at most 12 interactions.
func TestAHundredEntriesStandAtWhoWasMeant(t *testing.T) {
	t.Parallel()
	r := goLive(t)
	clients := []confusable{
		{id: "R1", chosen: "Juniper", given: "Testa", family: "Stonebridge", born: "1988-03-12"},
		{id: "R2", chosen: "Juniper", given: "Testa", family: "Stonebridge", born: "1988-12-03"},
		{id: "R3", chosen: "Juniper", given: "Imagina", family: "Stonebridger", born: "1988-03-13"},
		{id: "R4", chosen: "June", given: "Testa", family: "Stonebridge", born: "1988-03-21"},
		{id: "R5", chosen: "Marlow", given: "Ficta", family: "Sampleton", born: "1964-07-01"},
		{id: "R6", chosen: "Marlow", given: "Ficta", family: "Sampleton", born: "1964-01-07"},
		{id: "R7", chosen: "Marlowe", given: "Ficta", family: "Sampleton", born: "1964-07-01"},
		{id: "R8", chosen: "Ash", given: "Inventa", family: "Twinning", born: "2000-02-29"},
		{id: "R9", chosen: "Ashe", given: "Inventus", family: "Twinning", born: "2000-02-29"},
		{id: "R10", chosen: "José", given: "Probe", family: "Ærlig", born: "1975-10-11"},
		{id: "R11", chosen: "Jose", given: "Probe", family: "Aerlig", born: "1975-11-10"},
		{id: "R12", chosen: "O'Hara", given: "Muster", family: "Example", born: "1990-05-05"},
	}
	rows := []string{"id,family,given,birth_date,chosen_name,state,calendar_token,prescriber,referred_on"}
	for i, c := range clients {
		rows = append(rows, strings.Join([]string{c.id, c.family, c.given, c.born, c.chosen, "CO", fmt.Sprintf("K-%02dX", i), "skylight", r.day(-6)}, ","))
	}
	r.file("feed.ics", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n")
	r.must(0, "import", r.file("roster.csv", strings.Join(rows, "\n")+"\n"))
	r.run("sync")
	for i := range clients {
		if clients[i].key = regexp.MustCompile(`c-[a-z0-9]{8,}`).FindString(r.must(0, "record", "list", clients[i].id).out); clients[i].key == "" {
			t.Fatalf("%s has no key", clients[i].id)
		}
	}

	h, base := r.serves()
	ada := h.signsIn(t, base, people.Profile{Login: "ada", Name: "Ada Quill", Roles: []people.Role{people.Owner}})

	chance := rand.New(rand.NewPCG(100, 1))
	var interactions []int
	atOnce := 0                     // whom the search opened
	wanted := map[string][]string{} // entries by the client who was meant
	for n := range 100 {
		meant := &clients[chance.IntN(len(clients))]
		if chance.IntN(4) == 0 { // somebody else's form lies open beside it
			beside := &clients[chance.IntN(len(clients))]
			ada.get(ada.leads(ada.find(beside, chance), beside) + "/stop")
		}
		found := ada.find(meant, chance)
		desk, took := ada.leads(found, meant), 4 // the word, Find, the row; the form
		if found.path != "/desk/find" {
			atOnce++
			took--
		}
		kind, answers := "stop", []string{"said", "client", "why", fmt.Sprintf("of %s, number %d", meant.id, n), "medium", "phone"}
		switch chance.IntN(3) {
		case 0:
			kind, answers = "papers", []string{"release", "y", "release-to-none", "y", "consents", "y"}
		case 1:
			kind, answers = "decision", []string{"outcome", "deferred", "medium", "e-mail", "from", "Dr. Vale"}
		}
		opened := ada.get(desk + "/" + kind)
		if text := html.UnescapeString(opened.body); !strings.Contains(text, "It is "+meant.chosen+", born "+meant.birth()+": save") {
			t.Fatalf("entry %d: the button does not say that it is %s %s:\n%s", n, meant.id, meant.birth(), text)
		}
		_, form, ok := consoletest.Form(opened.body, `data-test-id="form-`+kind+`"`)
		if !ok {
			t.Fatalf("entry %d: no form %s:\n%s", n, kind, opened.body)
		}
		for i := 0; i < len(answers); i += 2 {
			form.Set(answers[i], answers[i+1])
		}
		interactions = append(interactions, took+len(answers)/2+1)
		saved := ada.post(desk+"/"+kind, form)
		id := entryID.FindString(saved.said())
		if id == "" {
			t.Fatalf("entry %d (%s) is answered %d: %q\n%s", n, kind, saved.code, saved.said(), regexp.MustCompile(`(?s)data-test-id="problems".*?</div>`).FindString(saved.body))
		}
		wanted[meant.id] = append(wanted[meant.id], id)
		if chance.IntN(5) == 0 { // pressed once more
			ada.post(desk+"/"+kind, form)
		}
	}

	for i := range clients {
		c := &clients[i]
		listed := entryID.FindAllString(r.must(0, "record", "list", c.key).out, -1)
		slices.Sort(listed)
		listed = slices.Compact(listed)
		slices.Sort(wanted[c.id])
		if !slices.Equal(listed, wanted[c.id]) {
			t.Errorf("%s: entered were %v, and at the client stand %v", c.id, wanted[c.id], listed)
		}
	}
	slices.Sort(interactions)
	if most := interactions[len(interactions)-1]; most > 12 {
		t.Errorf("an entry takes %d interactions, want at most 12", most)
	}
	t.Logf("100 entries: median %d interactions, at most %d; the search opened %d at once", interactions[50], interactions[99], atOnce)
	if atOnce == 0 {
		t.Error("the search opened nobody at once: whether it opens who was meant is not seen")
	}
}

// find looks for a client at the desk as people do: by a part of the name, or by the birth date.
func (c *clerk) find(who *confusable, chance *rand.Rand) page {
	words := []string{who.chosen, who.family[:5], who.chosen + " " + who.family, who.born}
	return c.sends("/desk", `data-test-id="find"`, "who", words[chance.IntN(len(words))])
}

var foundClient = regexp.MustCompile(`(?s)<a class="subject" href="([^"]+)" data-test-id="found-client">(.*?)</a>`)
var tags = regexp.MustCompile(`<[^>]*>`)

// leads returns the desk of whom the search opened at once, who must be the one that was looked for; else where the one row of what
// was found leads that shows the client's name and birth date.
func (c *clerk) leads(found page, who *confusable) (path string) {
	c.Helper()
	if found.path != "/desk/find" {
		if text := html.UnescapeString(found.body); found.path != "/clients/"+who.key+"/desk" || !strings.Contains(text, `data-test-id="subject-name">`+who.chosen+"<") || !strings.Contains(text, who.birth()) {
			c.Fatalf("whoever looks for %s of %s is led to %s:\n%s", who.id, who.birth(), found.path, found.body)
		}
		return found.path
	}
	var fit []string
	for _, row := range foundClient.FindAllStringSubmatch(found.body, -1) {
		if text := html.UnescapeString(tags.ReplaceAllString(row[2], "")); strings.HasPrefix(text, who.chosen+",") && strings.Contains(text, "born "+who.birth()+",") {
			fit = append(fit, row[1])
		}
	}
	if len(fit) != 1 {
		c.Fatalf("%d rows show %s of %s:\n%s", len(fit), who.id, who.birth(), found.body)
	}
	return fit[0]
}
