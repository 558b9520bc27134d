package console

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/people"
)

// Start is a hub that has no config yet, and how it gets one. Each step can be left and gone back to.
type Start interface {
	// Steps are what is to be done, in order, and what of it is done.
	Steps(ctx context.Context) ([]Step, error)
	// Form is a step's form as it stands.
	Form(ctx context.Context, step string) (Section, error)
	// Take takes what was typed into a step's form. What is wrong stands at its field, and nothing was taken then.
	Take(ctx context.Context, step string, form url.Values) (Section, error)
	// Skip goes on without what a step asks, which can wait: what was agreed to, and the roster.
	Skip(ctx context.Context, step string) error
	// Recovery returns the recovery key of the hub's key: the same one however often it is asked for, until KeepKey. void is
	// true when another was shown before and is lost, because the hub was stopped in between.
	Recovery(ctx context.Context) (recovery string, void bool, err error)
	// KeepKey keeps that key, once the groups of its recovery key that GroupsAsked names were typed back.
	// ErrTyped when they do not fit.
	KeepKey(ctx context.Context, groups []string) error
	// Roster reads a CSV file, nil = the one before, and keeps it in memory for Import; it is told what would happen.
	Roster(ctx context.Context, file []byte, as RosterAs) (Intake, error)
	// Import brings in what Roster read last. Nothing comes in while there are columns to be left out and leave is false.
	Import(ctx context.Context, leave bool) (Intake, error)
	// Columns tells what a roster's header may have.
	Columns() []Fact
	// ReferredTo are the prescribers to whom a roster's clients can be referred: by key, and how they are called.
	ReferredTo(ctx context.Context) ([]Fact, error)
	// Finish makes the owner's account, puts the config in its place, and returns the path of the owner's invitation: the
	// hub serves from then on.
	Finish(ctx context.Context, owner people.Profile) (path string, err error)
}

// ErrTyped is what KeepKey answers when the groups do not fit.
var ErrTyped = errors.New("that is not what the paper says: look at the two groups again")

// GroupsAsked are the groups of a recovery key that are typed back, counted from one.
var GroupsAsked = [2]int{5, 14}

// Step is one of the first run.
type Step struct {
	Key, Title string
	Done       bool
	Open       bool // it can be done now: what it needs is there
	Here       bool
}

// codeTries is how often the code may be typed wrong: then the hub is to be started again.
const codeTries = 10

// starter is the window of a first run. It is for whoever sits at this machine and read the code at the terminal.
type starter struct {
	*Console
	start Start

	mu    sync.Mutex
	code  string // "" = it was used, or tried too often
	tries int
	token string // of the one browser that is let in
}

// NewStart returns the first run as one handler, which lets in the one browser that types the code.
func NewStart(start Start, code string, now func() time.Time, log *slog.Logger) (http.Handler, error) {
	pages, err := template.New("").Funcs(words).ParseFS(files, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("read the console's pages: %w", err)
	}
	s := &starter{Console: &Console{Options: Options{Practice: "kaphub", Zone: time.UTC, Now: now, Log: log}, pages: pages}, start: start, code: code}
	mux := http.NewServeMux()
	serveFiles(mux)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "being set up\n") })
	mux.Handle("POST /start/code", s.answered(s.takeCode))
	for pattern, do := range map[string]func(*visit) error{
		"GET /{$}":              s.first,
		"GET /start/{step}":     s.step,
		"POST /start/{step}":    s.take,
		"GET /start/key":        s.key,
		"POST /start/key":       s.keepKey,
		"GET /start/roster":     s.roster,
		"POST /start/roster":    s.takeRoster,
		"GET /start/roster.csv": s.sampleRoster,
		"GET /start/owner":      s.owner,
		"POST /start/owner":     s.finish,
		"/":                     func(v *visit) error { return v.to("/") },
	} {
		mux.Handle(pattern, s.answered(s.letIn(do)))
	}
	return s.onlyHere(http.NewCrossOriginProtection().Handler(mux)), nil
}

// onlyHere answers nobody who calls this machine by another name than its own: a page elsewhere could have given itself a
// name that leads here. What is too long is refused before it is read.
func (s *starter) onlyHere(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		private(w.Header())
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if ip := net.ParseIP(strings.Trim(host, "[]")); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			http.Error(w, "The hub is being set up, on this machine alone.", http.StatusMisdirectedRequest)
			return
		}
		if r.ContentLength > maxForm {
			w.Header().Set("Connection", "close")
			http.Error(w, "That is too long: a roster may have 1 MB. Nothing of it was read.", http.StatusRequestEntityTooLarge)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		next.ServeHTTP(w, r)
	})
}

func (s *starter) answered(do func(*visit) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &visit{Console: s.Console, w: w, r: r, now: s.Now()}
		if err := do(v); err != nil {
			v.fail(err)
		}
	})
}

const startCookie = "kaphub-start"

// letIn has the code typed before anything is shown.
func (s *starter) letIn(do func(*visit) error) func(*visit) error {
	return func(v *visit) error {
		s.mu.Lock()
		token := s.token
		s.mu.Unlock()
		c, err := v.r.Cookie(startCookie)
		if err == nil && token != "" && subtle.ConstantTimeCompare([]byte(c.Value), []byte(token)) == 1 {
			return do(v)
		}
		return s.ask(v, http.StatusOK, "")
	}
}

type beginPage struct {
	frame
	Wrong string
	Over  bool
}

func (s *starter) ask(v *visit, status int, wrong string) error {
	s.mu.Lock()
	over := s.code == ""
	s.mu.Unlock()
	return v.send(status, "start-code", beginPage{v.frame("Set up the hub"), wrong, over})
}

func (s *starter) takeCode(v *visit) error {
	typed := strings.ToUpper(strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, v.r.PostFormValue("code")))
	s.mu.Lock()
	fits := s.code != "" && subtle.ConstantTimeCompare([]byte(typed), []byte(strings.ReplaceAll(s.code, "-", ""))) == 1
	if fits {
		s.code, s.token = "", rand.Text()+rand.Text()
	} else if s.tries++; s.tries >= codeTries {
		s.code = ""
	}
	token := s.token
	s.mu.Unlock()
	if !fits {
		return s.ask(v, http.StatusForbidden, "That is not the code. It stands in the window in which kaphub serve was typed.")
	}
	http.SetCookie(v.w, &http.Cookie{Name: startCookie, Value: token, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode}) //nolint:gosec // loopback, without TLS
	return v.to("/")
}

type startPage struct {
	frame
	Steps []Step
	Step  Step
	Part  Section
	Later bool   // it can wait, and be left empty at once
	Skip  string // where to go on without it
}

// frameOf is the page of a step; missing when there is none, or it needs another first.
func (s *starter) page(v *visit, key string) (startPage, error) {
	all, err := s.start.Steps(v.ctx())
	if err != nil {
		return startPage{}, err
	}
	i := slices.IndexFunc(all, func(one Step) bool { return one.Key == key })
	if i < 0 || !all[i].Open {
		return startPage{}, missing
	}
	all[i].Here = true
	p := startPage{frame: v.frame(all[i].Title), Steps: all, Step: all[i]}
	if i+1 < len(all) && all[i+1].Open {
		p.Skip = "/start/" + all[i+1].Key
	}
	return p, nil
}

// first leads to the first step that is not done.
func (s *starter) first(v *visit) error {
	all, err := s.start.Steps(v.ctx())
	if err != nil {
		return err
	}
	for _, one := range all {
		if !one.Done && one.Open {
			return v.to("/start/" + one.Key)
		}
	}
	return missing
}

func (s *starter) step(v *visit) error {
	p, err := s.page(v, v.r.PathValue("step"))
	if err != nil {
		return err
	}
	if p.Part, err = s.start.Form(v.ctx(), p.Step.Key); err != nil {
		return err
	}
	p.Later = p.Step.Key == "sheet" && !p.Step.Done
	return v.show("start", p)
}

func (s *starter) take(v *visit) error {
	p, err := s.page(v, v.r.PathValue("step"))
	if err != nil {
		return err
	}
	if err := v.r.ParseForm(); err != nil {
		return err
	}
	if v.r.PostFormValue("do") == "later" {
		if err := s.start.Skip(v.ctx(), p.Step.Key); err != nil {
			return err
		}
		return v.to("/")
	}
	if p.Part, err = s.start.Take(v.ctx(), p.Step.Key, v.r.PostForm); err != nil {
		return err
	}
	if len(p.Part.WrongAt()) > 0 {
		return v.send(http.StatusUnprocessableEntity, "start", p)
	}
	return v.to("/")
}

type keyPage struct {
	startPage
	Groups []string
	Void   bool // another was shown before, and counts no more
	Asked  [2]int
	Wrong  string
}

// key shows the recovery key until it was typed back, and never again.
func (s *starter) key(v *visit) error {
	p, err := s.page(v, "key")
	if err != nil {
		return err
	}
	k := keyPage{startPage: p, Asked: GroupsAsked}
	if !p.Step.Done {
		recovery, void, err := s.start.Recovery(v.ctx())
		if err != nil {
			return err
		}
		k.Void = void
		k.Groups = strings.Split(recovery, "-")
	}
	return v.show("start-key", k)
}

func (s *starter) keepKey(v *visit) error {
	p, err := s.page(v, "key")
	if err != nil {
		return err
	}
	if p.Step.Done {
		return v.to("/")
	}
	if v.r.PostFormValue("do") == "type" { // it is written down: it goes from the screen
		return v.show("start-key", keyPage{startPage: p, Asked: GroupsAsked})
	}
	switch err := s.start.KeepKey(v.ctx(), []string{v.r.PostFormValue("a"), v.r.PostFormValue("b")}); {
	case errors.Is(err, ErrTyped):
		return v.send(http.StatusUnprocessableEntity, "start-key", keyPage{startPage: p, Asked: GroupsAsked, Wrong: "That is not what the paper should say. Look at the two groups again, or have the key shown once more: it is still the same."})
	case err != nil:
		return err
	}
	return v.to("/")
}

// sampleRoster is a roster of nobody, to begin from.
func (s *starter) sampleRoster(v *visit) error {
	var header []string
	for _, c := range s.start.Columns() {
		header = append(header, c.Name)
	}
	v.w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	v.w.Header().Set("Content-Disposition", `attachment; filename="roster.csv"`)
	_, err := io.WriteString(v.w, strings.Join(header, ",")+"\r\n")
	return err
}

type ownerPage struct {
	startPage
	Profile   people.Profile
	Therapist bool
	Wrong     []string
}

func (s *starter) owner(v *visit) error {
	p, err := s.page(v, "owner")
	if err != nil {
		return err
	}
	return v.show("start-owner", ownerPage{startPage: p})
}

func (s *starter) finish(v *visit) error {
	p, err := s.page(v, "owner")
	if err != nil {
		return err
	}
	o := ownerPage{startPage: p, Therapist: v.r.PostFormValue("sees") != "", Profile: people.Profile{
		Login: v.r.PostFormValue("login"), Name: v.r.PostFormValue("name"), Email: v.r.PostFormValue("email"), Roles: []people.Role{people.Owner},
	}}
	if o.Therapist {
		o.Profile.Roles = append(o.Profile.Roles, people.Therapist)
		o.Profile.Therapist = v.r.PostFormValue("therapist")
	}
	if wrong := o.Profile.Check(); wrong != nil {
		o.Wrong = strings.Split(wrong.Error(), "\n")
		return v.send(http.StatusUnprocessableEntity, "start-owner", o)
	}
	path, err := s.start.Finish(v.ctx(), o.Profile)
	if err != nil {
		return err
	}
	return v.to(path)
}
