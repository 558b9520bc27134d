package people

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// Store keeps accounts. Replicas share it: what it refuses with exchange.ErrConflict another was first to write.
type Store interface {
	Accounts(ctx context.Context) ([]exchange.Account, fhir.Moment, error)
	AccountOf(ctx context.Context, id string) (exchange.Account, error)
	KeepAccount(ctx context.Context, actor, action, detail string, asOf fhir.Moment, a exchange.Account) error

	Tryings
	Looks
}

// Tryings keeps how often a login was tried in vain, whether there is one or not, and which codes were taken.
type Tryings interface {
	Tries(ctx context.Context, login string) (failed int, last time.Time, err error)
	CountTry(ctx context.Context, login string, was int) error
	ReturnTry(ctx context.Context, login string, was int, before time.Time) error
	ForgetTries(ctx context.Context, login string) error
	SignedIn(ctx context.Context, actor, action, id string, step int64) error
	Mark(parts ...string) string // of parts, which nobody else can make
	Audit(ctx context.Context, actor, action, subject, detail string) error
}

// Looks keeps who looked at whom.
type Looks interface {
	BreakGlass(ctx context.Context, g exchange.Glass) error
	Glasses(ctx context.Context, account string, since time.Time) ([]exchange.Glass, error)
	LooksAt(ctx context.Context, client string, before int64, limit int) ([]exchange.Line, error)
	LooksAtAll(ctx context.Context, client string, since time.Time, zone *time.Location, limit int) ([]exchange.Crowd, error)
	AuditOf(ctx context.Context, subject string, before int64, limit int) ([]exchange.Line, error)
}

// Options are what New needs.
type Options struct {
	Store Store
	Now   func() time.Time
	Title string // of the practice, as an authenticator app shows it
	Cost  Cost   // of a password's hash; zero = the usual
}

// House knows who may come in. Safe for concurrent use; replicas share one store.
type House struct {
	store   Store
	now     func() time.Time
	title   string
	hasher  *hasher
	remotes *remotes
	strange *quietly
}

// New returns a House. It touches nothing yet.
func New(o Options) (*House, error) {
	if o.Store == nil || o.Now == nil {
		return nil, errors.New("people: a store and a clock are needed")
	}
	if o.Title == "" {
		o.Title = "kaphub"
	}
	return &House{store: o.Store, now: o.Now, title: o.Title, hasher: newHasher(o.Cost), remotes: &remotes{}, strange: &quietly{}}, nil
}

// Errors that a page answers with words of its own.
var (
	ErrRefused    = errors.New("that does not fit: try again")                                                        // whatever of it was wrong
	ErrOver       = errors.New("the session is over: sign in again")                                                  // it ended elsewhere, or was never one
	ErrInvitation = errors.New("the invitation is used, over or replaced: ask whoever sent it for a new one")         // or there never was one
	ErrTaken      = errors.New("another account has this login or name, or is this therapist: choose another")        // of a disabled one, perhaps
	ErrLastOwner  = errors.New("this is the last owner who can come in: make somebody else an owner first")           // or nobody could let anybody in
	ErrBusy       = errors.New("too many people sign in at this moment: try again in a minute")                       // not a failure
	ErrNoAccount  = errors.New("there is no such account: `kaphub user list` shows them")                             //
	ErrDisabled   = errors.New("the account is disabled: enable it first")                                            //
	ErrReason     = errors.New("a reason is needed, in a few words: it is kept, and the privacy officer reads it")    //
	ErrMayNot     = errors.New("your roles do not let you do this: an owner can change them")                         //
	ErrEnrolled   = errors.New("there is a second factor already: it is changed by a reset, which an owner can make") //
)

// Wait is what a try is answered that came too soon after others that failed.
type Wait struct{ Until time.Time }

func (w *Wait) Error() string {
	return fmt.Sprintf("too many tries failed: wait until %s UTC", w.Until.UTC().Format("15:04:05"))
}

// Accounts returns every account, in the order of their ids.
func (h *House) Accounts(ctx context.Context) ([]Account, error) {
	all, _, err := h.everybody(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]Account, 0, len(all))
	for _, p := range all {
		list = append(list, p.account(h.now()))
	}
	return list, nil
}

// Account returns one account, disabled or not; ErrNoAccount when there is none of that id.
func (h *House) Account(ctx context.Context, id string) (Account, error) {
	p, err := h.person(ctx, id)
	return p.account(h.now()), err
}

// Session returns the account of a session that began under an epoch; ErrOver when it ended since.
func (h *House) Session(ctx context.Context, id string, epoch int64) (Account, error) {
	p, err := h.person(ctx, id)
	switch {
	case errors.Is(err, ErrNoAccount):
		return Account{}, ErrOver
	case err != nil:
		return Account{}, err
	case p.facts.Disabled || p.facts.Epoch != epoch || p.secrets.Factor == "":
		return Account{}, ErrOver
	}
	return p.account(h.now()), nil
}

func (h *House) person(ctx context.Context, id string) (person, error) {
	kept, err := h.store.AccountOf(ctx, id)
	if errors.Is(err, exchange.ErrNotFound) {
		return person{}, ErrNoAccount
	}
	if err != nil {
		return person{}, err
	}
	return personOf(kept)
}

func (h *House) everybody(ctx context.Context) ([]person, fhir.Moment, error) {
	kept, asOf, err := h.store.Accounts(ctx)
	if err != nil {
		return nil, 0, err
	}
	all := make([]person, 0, len(kept))
	for _, k := range kept {
		p, err := personOf(k)
		if err != nil {
			return nil, 0, err
		}
		all = append(all, p)
	}
	return all, asOf, nil
}

// step is the next version of an account, and what the audit log says of it.
type step struct {
	person
	actor, action, detail string
}

// conflicts is how often a change is decided anew because another was first.
const conflicts = 8

// change reads everybody, decides, and keeps what was decided: again, from the beginning, while others are first.
func (h *House) change(ctx context.Context, decide func(all []person) (step, error)) (person, error) {
	for n := 1; ; n++ {
		all, asOf, err := h.everybody(ctx)
		if err != nil {
			return person{}, err
		}
		s, err := decide(all)
		if err != nil {
			return person{}, err
		}
		kept, err := s.kept()
		if err == nil {
			err = h.store.KeepAccount(ctx, s.actor, s.action, s.detail, asOf, kept)
		}
		if !errors.Is(err, exchange.ErrConflict) || n == conflicts {
			return s.person, err
		}
	}
}

// changeOne is change of an account that must be there.
func (h *House) changeOne(ctx context.Context, id string, decide func(p person, all []person) (step, error)) (person, error) {
	return h.change(ctx, func(all []person) (step, error) {
		for _, p := range all {
			if p.id == id {
				return decide(p, all)
			}
		}
		return step{}, ErrNoAccount
	})
}

// newID is an account's or a look's hub key: nobody can guess the next one.
func newID(kind string) string { return kind + "-" + strings.ToLower(rand.Text()[:12]) }
