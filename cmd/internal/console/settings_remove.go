package console

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir/readiness"
)

// removalPage asks, before a source or prescriber is taken out of the settings, whether that is meant.
type removalPage struct {
	frame
	Weighed
	Reason string
	Fixed  string
	Unsure bool // what would be lost was not agreed to
	Slow   bool
	Turned []turned
	Others []turned
}

func (v *visit) removal() error { return v.askRemoval(http.StatusOK, Change{}, patience) }

func (v *visit) remove() error {
	c := Change{Base: v.r.PostFormValue("base"), Reason: strings.TrimSpace(v.r.PostFormValue("reason")), Sure: v.r.PostFormValue("sure") != ""}
	if v.r.PostFormValue("do") == "rest" {
		return v.askRemoval(http.StatusOK, c, longPatience)
	}
	_, one, err := v.removable()
	if err != nil {
		return err
	}
	c.Section, c.Removes = one.Key, true
	switch err := v.Settings.Settle(v.ctx(), v.who.Name, c); {
	case err == nil:
		v.say(one.Title + " is taken out. The hub has read its settings anew, and judges everybody by them now.")
		return v.to("/settings")
	case errors.Is(err, ErrUnsure):
		return v.askRemoval(http.StatusUnprocessableEntity, c, patience)
	case errors.Is(err, ErrMoved), errors.Is(err, ErrWrong), errors.Is(err, ErrReadOnly):
		return v.askRemoval(http.StatusConflict, c, patience)
	default:
		return err
	}
}

func (v *visit) removable() (Settled, Section, error) {
	s, one, err := v.sectionOf()
	if err == nil && !one.Removable {
		err = missing
	}
	return s, one, err
}

func (v *visit) askRemoval(status int, c Change, wait time.Duration) error {
	s, one, err := v.removable()
	if err != nil {
		return err
	}
	c.Section, c.Removes = one.Key, true
	if c.Base == "" {
		c.Base = s.Base
	}
	w, err := v.Settings.Weigh(v.ctx(), c, wait)
	if err != nil {
		return err
	}
	return v.send(status, "removal", removalPage{frame: v.frame("Remove " + one.Title), Weighed: w, Reason: c.Reason, Fixed: s.Fixed,
		Unsure: status == http.StatusUnprocessableEntity, Slow: w.Effect.Looked < w.Effect.Clients,
		Turned: v.turned(w.Effect.Turned), Others: v.turned(w.Effect.Said)})
}

// Unknown is how many would be UNKNOWN who are not.
func (e Effect) Unknown() (n int) {
	for _, m := range e.Moves {
		if m.To == readiness.Unknown {
			n += m.N
		}
	}
	return n
}
