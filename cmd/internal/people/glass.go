package people

import (
	"context"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir/exchange"
)

// taken in need, a look lasts this long.
const glassLasts = time.Hour

// BreakGlass lets an account see one client that is not its own, for an hour. The reason is kept, the audit log names the
// client and who looks, and the privacy officer sees both. ErrReason when there is none to speak of, ErrMayNot
// for whom it is not made.
func (h *House) BreakGlass(ctx context.Context, who Account, client, reason string) (exchange.Glass, error) {
	reason = strings.Join(strings.Fields(cut(reason, 500)), " ")
	if len([]rune(reason)) < 8 {
		return exchange.Glass{}, ErrReason
	}
	who, err := h.Session(ctx, who.ID, who.Epoch) // as they stand now
	if err != nil {
		return exchange.Glass{}, err
	}
	if !who.Is(Therapist) { // others see every client, or none
		return exchange.Glass{}, ErrMayNot
	}
	g := exchange.Glass{ID: newID("g"), Account: who.ID, Client: client, Reason: reason, Actor: who.Name, From: h.now(), Until: h.now().Add(glassLasts)}
	if err := h.store.BreakGlass(ctx, g); err != nil {
		return exchange.Glass{}, err
	}
	return g, nil
}

// Glass returns the clients whom an account may see at this moment because it broke the glass, newest look first.
func (h *House) Glass(ctx context.Context, account string) ([]exchange.Glass, error) {
	return h.store.Glasses(ctx, account, h.now())
}

// Glasses returns every look in need that was taken and ended after since, or lasts, newest first: for the privacy officer.
func (h *House) Glasses(ctx context.Context, since time.Time) ([]exchange.Glass, error) {
	return h.store.Glasses(ctx, "", since)
}

// Crowded returns who was shown a client among others since a time, by the board, its print, findings and reports: one for each
// person, kind and day of zone, newest first.
func (h *House) Crowded(ctx context.Context, client string, since time.Time, zone *time.Location) ([]exchange.Crowd, error) {
	return h.store.LooksAtAll(ctx, client, since, zone, 500)
}

// Looked returns who did or looked at what of a client, newest first; with before, what came before that entry. Pages
// that show many clients at once are told by Crowded.
func (h *House) Looked(ctx context.Context, client string, before int64, limit int) ([]exchange.Line, error) {
	return h.store.LooksAt(ctx, client, before, limit)
}

// History returns what became of an account, newest first: invitations, changes, sign-ins and those that were refused.
func (h *House) History(ctx context.Context, account string, before int64, limit int) ([]exchange.Line, error) {
	return h.store.AuditOf(ctx, account, before, limit)
}
