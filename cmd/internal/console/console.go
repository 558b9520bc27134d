// Package console is the practice's window into the hub: pages and forms over what was decided, and who may see which.
package console

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// Options are all that the console needs. Every field is required, but those that say otherwise.
type Options struct {
	Practice string // as shown: "Reverie"
	Zone     *time.Location
	Now      func() time.Time
	Log      *slog.Logger
	Public   string         // the address under which people reach it, with which links begin that are copied; "" = from this machine alone
	Proxies  []netip.Prefix // who beside this machine is believed for whom they ask; may be empty
	Sessions Sessions
	People   People
	Door     Door
	Accounts Accounts
	Staff    Staff
	Views    Views
	Board    Board
	Search   Search
	Exchange Exchange
	Engine   Engine
	Desk     Desk
	Roster   Roster
	Second   Second
	Asking   Asking
	Clients  Clients
	Room     Room
	Looks    Looks
	Triage   Triage
	Reports  Reports
	Settings Settings
	Ledger   Ledger
	Rejects  Rejects
	Vault    Vault
	Links    Links

	Guest *people.Account // who everybody is, where nobody signs in: in the demo; else nil
}

// People knows who may come in.
type People interface {
	// Session returns the account of a session that began under an epoch; people.ErrOver when it ended since.
	Session(ctx context.Context, account string, epoch int64) (people.Account, error)
	// Glass returns the looks in need that an account has now: at clients who are not theirs.
	Glass(ctx context.Context, account string) ([]exchange.Glass, error)
}

// maxForm is how much a form may bring: forms are short, and a paste is a letter.
const maxForm = 1 << 20

//go:embed templates static
var files embed.FS

// Console answers requests. It keeps nothing but its options.
type Console struct {
	Options
	sessions *scs.SessionManager
	pages    *template.Template
}

// New returns the console as one handler. It is an error when something is missing in o.
func New(o Options) (http.Handler, error) {
	c, err := build(o)
	if err != nil {
		return nil, err
	}
	return c.handler(), nil
}

func build(o Options) (*Console, error) {
	if err := o.whole(); err != nil {
		return nil, err
	}
	pages, err := template.New("").Funcs(words).ParseFS(files, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("read the console's pages: %w", err)
	}
	c := &Console{Options: o, pages: pages, sessions: scs.New()}
	c.sessions.Store, c.sessions.Lifetime = o.Sessions, stay // whether somebody is idle sitting.over says
	c.sessions.Cookie.Name = "kaphub"
	c.sessions.Cookie.Secure = c.secure()
	if c.secure() {
		c.sessions.Cookie.Name = "__Host-kaphub"
	}
	c.sessions.Cookie.SameSite = http.SameSiteLaxMode // a link in a notice must find one signed in
	c.sessions.Cookie.Persist = false
	c.sessions.ErrorFunc = c.sessionFailed
	return c, nil
}

// handler puts the routes behind what every request passes.
func (c *Console) handler() http.Handler {
	mux := http.NewServeMux()
	serveFiles(mux)
	inside := http.NewServeMux()
	for _, r := range c.routes() {
		inside.Handle(r.Pattern, c.serve(r))
	}
	inside.Handle("/", c.serve(route{Pattern: "/", Everybody: true, do: func(*visit) error { return missing }}))
	mux.Handle("/", c.sessions.LoadAndSave(inside))
	foreign := http.NewCrossOriginProtection()
	foreign.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "This form was sent from another site. Open the page here and send it again.", http.StatusForbidden)
	}))
	return c.guarded(foreign.Handler(mux))
}

// secure reports whether people reach the console by https: then its cookie goes nowhere else.
func (o *Options) secure() bool { return strings.HasPrefix(strings.ToLower(o.Public), "https://") }

func (o *Options) whole() error {
	var wrong []error
	for name, there := range map[string]bool{
		"Door": o.Door != nil, "Accounts": o.Accounts != nil, "Staff": o.Staff != nil, "Practice": o.Practice != "", "Zone": o.Zone != nil, "Now": o.Now != nil, "Log": o.Log != nil,
		"Sessions": o.Sessions != nil, "People": o.People != nil, "Views": o.Views != nil, "Board": o.Board != nil, "Search": o.Search != nil, "Exchange": o.Exchange != nil, "Engine": o.Engine != nil,
		"Desk": o.Desk != nil, "Roster": o.Roster != nil, "Second": o.Second != nil, "Asking": o.Asking != nil,
		"Clients": o.Clients != nil, "Room": o.Room != nil, "Looks": o.Looks != nil,
		"Triage": o.Triage != nil, "Reports": o.Reports != nil,
		"Settings": o.Settings != nil,
		"Ledger":   o.Ledger != nil, "Rejects": o.Rejects != nil, "Vault": o.Vault != nil, "Links": o.Links != nil,
	} {
		if !there {
			wrong = append(wrong, fmt.Errorf("console: %s is missing in its options", name))
		}
	}
	return errors.Join(wrong...)
}

// guarded puts the headers on every answer that keep a page to itself, and a limit on what is sent.
func (c *Console) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		private(w.Header())
		if c.secure() {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		}
		if told := c.approach(r); told != nil && !strings.HasPrefix(r.URL.Path, "/static/") {
			(&visit{Console: c, w: w, r: r, now: c.Now()}).fail(told)
			return
		}
		if r.ContentLength > maxForm { // before any of it is read
			(&visit{Console: c, w: w, r: r, now: c.Now()}).fail(&http.MaxBytesError{Limit: maxForm})
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		next.ServeHTTP(w, r)
	})
}

// private sets the headers by which a page is kept to itself.
func private(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), interest-cohort=()")
	h.Set("X-Robots-Tag", "noindex")
	h.Set("Cache-Control", "no-store")
}

func (c *Console) sessionFailed(w http.ResponseWriter, r *http.Request, err error) {
	c.Log.ErrorContext(r.Context(), "console session", "error", err)
	http.Error(w, "The hub's store does not answer just now. Nothing was saved: try again in a minute.", http.StatusServiceUnavailable)
}
