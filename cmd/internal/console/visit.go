package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"time"
	"unicode"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs/report"
)

// Views is what was known and decided.
type Views interface {
	// Look notes in the audit log that by looks at what ("board", "client", …) of a client, or with "" of all, and returns
	// what was known at asOf: "" = now, else as kaphub status --as-of reads it. With by "" nothing is noted.
	Look(ctx context.Context, by, what, client, asOf string) (report.Input, error)
	// Therapists returns the client's therapists as the practice's records know them; exchange.ErrNotFound when nobody has that key.
	Therapists(ctx context.Context, client string) ([]fhir.Therapist, error)
}

// visit is one request of one person.
type visit struct {
	*Console
	w      http.ResponseWriter
	r      *http.Request
	who    people.Account // zero: nobody is signed in
	now    time.Time
	client string           // the hub's key, where the route is about one
	by     []fhir.Therapist // whose the client is, where the route is about one
	whole  bool             // the client's doses, readings, scores and events are shown, too: the pages about one client find it out
	ended  string           // why whoever was signed in is not any more

	handedOn int // clients whom a look at the past leaves out, since they are the visitor's no more
}

func (v *visit) ctx() context.Context { return v.r.Context() }

// look returns what the visitor may see of a client, or with "" of all, and has that noted; unless what is "": then they are
// about to do something, which is noted.
func (v *visit) look(what, client, asOf string) (report.Input, error) {
	by := v.who.Name
	if what == "" {
		by = ""
	}
	in, err := v.Views.Look(v.ctx(), by, what, client, asOf)
	if err != nil {
		return in, err
	}
	if asOf != "" && v.who.Is(people.Therapist) {
		now, err := v.Staff.Treating(v.ctx())
		if err != nil {
			return in, fmt.Errorf("whose the clients are: %w", err)
		}
		in.Clients = v.todays(in.Clients, now)
	}
	return seen(in, v.who, client), nil
}

// todays has verdicts of the past name as therapists those of now: whose a client was is no right to look at them today, and
// whoever treats a client now looks at how they stood before. It counts the clients who were the visitor's then, and whom it
// hides.
func (v *visit) todays(then []readiness.Verdict, now map[string][]fhir.Therapist) []readiness.Verdict {
	then = slices.Clone(then)
	gone := map[string]bool{}
	for i := range then {
		was := then[i].Therapists
		then[i].Therapists = now[then[i].Client]
		if v.who.Sight(was...) != people.Nothing && v.who.Sight(then[i].Therapists...) == people.Nothing {
			gone[then[i].Client] = true
		}
	}
	v.handedOn = len(gone)
	return then
}

// show sends a page.
func (v *visit) show(name string, page any) error { return v.send(http.StatusOK, name, page) }

// send executes a template with a page, whole, and then sends it.
func (v *visit) send(status int, name string, page any) error {
	var b bytes.Buffer
	if err := v.pages.ExecuteTemplate(&b, name+".html", page); err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status)
	_, _ = v.w.Write(harmless(b.Bytes())) // the asker has gone: nobody to tell
	return nil
}

// to sends the visitor on to a path of our own.
func (v *visit) to(path string) error {
	http.Redirect(v.w, v.r, path, http.StatusSeeOther)
	return nil
}

// say has the next page begin with a line.
func (v *visit) say(line string) { v.sessions.Put(v.ctx(), keySaid, line) }

// mend answers for a visit that went wrong in a way nobody thought of. What it went wrong with may be a client's, and is told nobody.
func (v *visit) mend() {
	wrong := recover()
	switch wrong {
	case nil:
		return
	case http.ErrAbortHandler:
		panic(wrong)
	}
	v.fail(fmt.Errorf("a fault of the hub's own: %T at %s", wrong, debug.Stack()))
}

// refusal is an answer that is no page: what happened, and what to do.
type refusal struct {
	status     int
	Head, Text string
}

func (r *refusal) Error() string { return r.Head }

var (
	missing        = &refusal{http.StatusNotFound, "There is no such page", "The address may be old. Go to Today and start from there."}
	unknownVisitor = &refusal{http.StatusUnauthorized, "Please sign in", "This page is for people of the practice."}
	forbidden      = &refusal{http.StatusForbidden, "This is not yours to open", "Your role does not include this page. Whoever looks after the accounts of the practice can change that."}
	strangeClient  = &refusal{http.StatusNotFound, "No client of yours has this key", "Look for the client by name or birth date. Somebody else's client can be opened with a reason, for an hour, and that is noted."}
)

// fail answers with what went wrong. What is ours to mend is logged and told without its cause.
func (v *visit) fail(err error) {
	told, ours := errors.AsType[*refusal](err)
	tooLong, over := errors.AsType[*http.MaxBytesError](err)
	switch {
	case ours:
	case over:
		told = &refusal{http.StatusRequestEntityTooLarge, "That is too long", fmt.Sprintf("A form may bring %d KB. Leave out what is not needed.", tooLong.Limit>>10)}
	case errors.Is(err, exchange.ErrNotFound):
		told = missing
	case errors.Is(err, exchange.ErrConflict):
		told = &refusal{http.StatusConflict, "Somebody else was quicker", "What you looked at has changed meanwhile. Nothing of yours was saved: open the page again and look."}
	case errors.Is(err, context.Canceled):
		return
	default:
		v.Log.ErrorContext(v.ctx(), "console", "route", v.r.Pattern, "error", err)
		told = &refusal{http.StatusInternalServerError, "That did not work", "The hub could not answer, and its log says why. Nothing was saved. Try again; if it stays so, tell whoever looks after the hub."}
	}
	if told == unknownVisitor && v.r.Header.Get("HX-Request") != "" { // a part of a page cannot be a page of its own
		v.w.Header().Set("HX-Redirect", signInPath(pageAsking(v.r), v.ended))
		v.w.WriteHeader(told.status)
		return
	}
	if told == unknownVisitor && v.r.Method == http.MethodGet {
		_ = v.to(signInPath(v.r.URL.RequestURI(), v.ended))
		return
	}
	if err := v.send(told.status, "refused", v.refused(told, "", "")); err != nil {
		v.Log.ErrorContext(v.ctx(), "console", "route", v.r.Pattern, "error", err)
		http.Error(v.w, told.Head+". "+told.Text, told.status)
	}
}

type refusedPage struct {
	frame
	refusal
	Stranger      bool   // it is about a client who is not the visitor's, or about nobody
	Key           string // as it was asked for
	MayOpen       bool   // the visitor may open it with a reason
	Reason, Wrong string
}

// refused is the page of a refusal. Of a client who is not theirs, and of nobody, a therapist is asked for a reason.
func (v *visit) refused(told *refusal, reason, wrong string) refusedPage {
	p := refusedPage{frame: v.frame(told.Head), refusal: *told, Stranger: told == strangeClient, Key: v.client, Reason: reason, Wrong: wrong}
	p.MayOpen = p.Stranger && v.client != "" && v.Guest == nil && v.who.Is(treating...)
	return p
}

// harmless is a page with nothing in it that turns what is read around, or that no page can hold: names and notes are
// written by others. html/template sees to it that they are text; this, that the text is what it seems to be.
func harmless(page []byte) []byte {
	return bytes.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' || unicode.Is(unicode.Bidi_Control, r) {
			return unicode.ReplacementChar
		}
		return r
	}, page)
}
