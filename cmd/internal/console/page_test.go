package console

import (
	"io/fs"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/jba/templatecheck"

	"github.com/kaphub/kaphub/cmd/internal/people"
)

// pageOf is what each page's template is executed with. A page without a row fails.
var pageOf = map[string]any{
	"client.html": clientPage{}, "changes.html": changesPage{}, "disclosures.html": disclosuresPage{}, "looks.html": looksPage{}, "card.html": cardPage{},
	"sign_in.html":     signInPage{},
	"account.html":     accountPage{},
	"accounts.html":    accountsPage{},
	"one_account.html": oneAccountPage{},
	"invited.html":     handedPage{},
	"needs.html":       needsPage{},
	"code.html":        codePage{},
	"invitation.html":  invitedPage{},
	"factor.html":      factorPage{},
	"recovery.html":    recoveryPage{},
	"refused.html":     refusedPage{},
	"today.html":       todayPage{},

	"desk.html":              deskHome{},
	"desk_client.html":       deskPage{},
	"desk_form.html":         formPage{},
	"desk_questions.html":    questionsPage{},
	"desk_read_through.html": readThroughPage{},
	"desk_releases.html":     releasesPage{},
	"desk_undo.html":         undoPage{},
	"desk_waiting.html":      waitingPage{},
	"finding.html":           findingPage{},
	"findings.html":          &findingsPage{},
	"report.html":            reportPage{},
	"settings.html":          settingsPage{}, "section.html": sectionPage{}, "weighed.html": weighedPage{}, "removal.html": removalPage{}, "settings-history.html": historyPage{},
	"secret.html": secretPage{}, "rules.html": rulesPage{},

	"exchange.html":            exchangePage{},
	"exchange_running.html":    progress{},
	"exchange_source.html":     sourcePage{},
	"exchange_jobs.html":       queuesPage{},
	"exchange_deliveries.html": deliveriesPage{},
	"exchange_links.html":      linksPage{},
	"exchange_link.html":       linkPage{},
	"exchange_rejects.html":    rejectsPage{},
	"exchange_reject.html":     rejectPage{},
	"exchange_sealed.html":     sealedListPage{},
	"exchange_sealed_one.html": sealedPage{},
	"exchange_delivery.html":   deliveryPage{},
	"print.html":               printPage{}, "grave.html": gravePage{},
	"clients.html": clientsPage{},
	"start.html":   startPage{}, "start-code.html": beginPage{}, "start-key.html": keyPage{}, "start-roster.html": rosterPage{}, "start-owner.html": ownerPage{},
}

// notPages hold the parts of pages.
var notPages = []string{"parts.html", "exchange_parts.html", "client_parts.html", "desk_parts.html", "door_parts.html", "account_parts.html"}

func TestEveryTemplateFitsItsPage(t *testing.T) {
	w := newTown(t)
	found, err := fs.Glob(files, "templates/*.html")
	if err != nil || len(found) == 0 {
		t.Fatal(found, err)
	}
	seen := map[string]bool{}
	for _, path := range found {
		name := path[len("templates/"):]
		seen[name] = true
		page, ok := pageOf[name]
		if slices.Contains(notPages, name) {
			continue
		}
		if !ok {
			t.Errorf("%s has no row in pageOf: say what it is executed with", name)
			continue
		}
		if err := templatecheck.CheckHTML(w.pages.Lookup(name), page); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name := range maps.Keys(pageOf) {
		if !seen[name] {
			t.Errorf("pageOf has a row for %s, and there is no such template", name)
		}
	}
}

// A page that has a field of its own where the frame has one shows it in the frame: what was sought stood in the search
// field of every page once.
func TestAPageMarksTheScreenItBelongsTo(t *testing.T) {
	owner := newTown(t).as(people.Owner)
	for path, screen := range map[string]string{
		"/": "Today", "/print": "Today", "/clients": "Clients", "/clients/c-robin": "Clients", "/clients/c-robin/desk": "Desk", "/exchange/links": "Exchange", "/desk/waiting": "Desk",
		"/settings": "Settings", "/settings/history": "Settings", "/rules": "Settings", "/account": "", "/accounts": "Accounts",
	} {
		a := owner.get(path)
		nav, _, _ := strings.Cut(a.body, "</nav>")
		if n, marked := strings.Count(nav, "aria-current"), strings.Contains(nav, `aria-current="page">`+screen+"<"); a.StatusCode != http.StatusOK || marked != (screen != "") || n > 1 {
			t.Errorf("%s is answered %d and marks %d screens, %q among them: %t", path, a.StatusCode, n, screen, marked)
		}
	}
}

func TestNoPageTakesAFieldOfItsFrame(t *testing.T) {
	of := reflect.TypeFor[frame]()
	for name, page := range pageOf {
		is := reflect.TypeOf(page)
		if is.Kind() == reflect.Pointer {
			is = is.Elem()
		}
		if _, framed := is.FieldByName("frame"); is.Kind() != reflect.Struct || !framed {
			continue
		}
		for i := range of.NumField() {
			if !of.Field(i).IsExported() {
				continue
			}
			if f, ok := is.FieldByName(of.Field(i).Name); !ok || f.Type != of.Field(i).Type || len(f.Index) < 2 {
				t.Errorf("%s: its %s is not the frame's", name, of.Field(i).Name)
			}
		}
	}
}

func TestANumberIsDialledAndADateIsNot(t *testing.T) {
	for sentence, want := range map[string]string{
		"hold; call Skylight (303-555-0100; weekends (303) 555-0199)": "hold; call Skylight (|303-555-0100>3035550100|; weekends |(303) 555-0199>3035550199|)|",
		"ask by +44 20 7946 0000":                                     "ask by |+44 20 7946 0000>+442079460000|", "per agreement of Sat 10 Jan 2026": "per agreement of Sat 10 Jan 2026|", "": "",
		"NPI 1234567893 since Mon 23 Nov 2026 11:34, 172/104": "NPI 1234567893 since Mon 23 Nov 2026 11:34, 172/104|", "+1 303-555-0100": "+1 303-555-0100>+13035550100|",
	} {
		got := ""
		for _, p := range dialling(sentence) {
			got += p.Text
			if p.Tel != "" {
				got += ">" + p.Tel
			}
			got += "|"
		}
		if got != want {
			t.Errorf("%q is told as %q, want %q", sentence, got, want)
		}
	}
}
