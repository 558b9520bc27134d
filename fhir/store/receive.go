package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	table "github.com/kaphub/kaphub/fhir/store/db"
)

// Receive stores a page of src in one transaction: versions, rejects, links, the source's state and the cursor. A page
// that tells nothing new moves the cursor alone: it takes no moment and leaves no line in the audit.
// ErrConflict unless since is the stored cursor and l still is the source's lease; then nothing was stored.
func (db *DB) Receive(ctx context.Context, src Source, l Lease, since exchange.Cursor, page exchange.Page) (Changed, error) {
	return db.receive(ctx, src, l, page, func(c *commit) error { return c.moveCursor(ctx, src.Name, since, page.Next) }, false)
}

// Sweep stores a page of a sweep: like Receive, but without a cursor, since who was swept is due no more (SweepDue), and it
// counts what the delta had missed. It never makes a source complete.
func (db *DB) Sweep(ctx context.Context, src Source, l Lease, page exchange.Page) (Changed, error) {
	return db.receive(ctx, src, l, page, func(*commit) error { return nil }, true)
}

func (db *DB) receive(ctx context.Context, src Source, l Lease, page exchange.Page, moveCursor func(*commit) error, sweep bool) (Changed, error) {
	action := "receive"
	if sweep {
		action = "sweep"
	}
	read := db.readPage(src, page)
	var done Changed
	err := db.commit(ctx, action, src.Name, func(c *commit) error {
		r := &receipt{commit: c, src: src, sweep: sweep, moved: map[string]bool{}}
		r.done.Ignored = read.ignored
		if err := c.checkLease(ctx, src, l); err != nil {
			return err
		}
		if err := moveCursor(c); err != nil {
			return err
		}
		if err := r.store(ctx, page, read); err != nil {
			return err
		}
		if err := r.noteSwept(ctx, page); err != nil {
			return err
		}
		done, c.silent = r.done, r.silent()
		c.detail = fmt.Sprintf("versions=%d gone=%d rejects=%d links=%d ignored=%d missed=%d",
			done.Versions, done.Gone, done.Rejects, done.Links, done.Ignored, done.Missed)
		return nil
	})
	if err != nil {
		return Changed{}, err
	}
	return done, nil
}

// receipt is one page on its way into the store.
type receipt struct {
	*commit
	src   Source
	sweep bool
	done  Changed

	clients map[string]string    // the source's Patient id -> client
	fresh   map[string]bool      // patients never read back yet
	heads   map[fhir.Ref]*head   // current versions of the page's records
	moved   map[string]bool      // clients whose chart moved
	said    map[mention]struct{} // mentions already stored with this page
	noted   bool                 // a digest or the source's state was stored
}

// silent reports whether the page told nothing new: no row was sealed, nobody moved, and the source stands as it did.
func (r *receipt) silent() bool {
	return r.digest == [32]byte{} && len(r.moved) == 0 && !r.noted
}

// head is the current version of a record, as far as comparing needs it.
type head struct {
	n       int64
	party   string
	subject string
	gone    bool
	fhir.Resource
}

type mention struct{ origin, target fhir.Ref }

// store goes over the page in two passes, links first, so that the order within the page does not matter.
func (r *receipt) store(ctx context.Context, page exchange.Page, read reading) error {
	before, err := r.sourceState(ctx, r.src)
	if err != nil {
		return err
	}
	if before.Moment == 0 { // matching asks who owns what a source tells
		if err := r.PutSource(ctx, table.PutSourceParams(before)); err != nil {
			return err
		}
	}
	if err := r.place(ctx, &read); err != nil {
		return err
	}
	if err := r.loadLinks(ctx, page, read); err != nil {
		return err
	}
	if err := r.link(ctx, read); err != nil {
		return err
	}
	if err := r.loadHeads(ctx, page, read); err != nil {
		return err
	}
	for _, j := range read.broken {
		if now := r.heads[fhir.Ref{Type: storable(j.Type), ID: storable(j.Ref)}]; now != nil && !now.gone {
			read.rejects = append(read.rejects, j) // what was kept of it may stand no more, and nobody can read whether
		}
	}
	open, err := r.OpenRejects(ctx, r.src.Name)
	if err != nil {
		return err
	}
	readable, strangers := map[fhir.Ref]bool{}, map[string]bool{}
	for _, it := range read.items {
		readable[it.Ref()] = true
		if it.subject != "" && r.clients[it.subject] == "" {
			r.done.Ignored++
			strangers[it.subject] = true
			if err := r.leave(ctx, it); err != nil {
				return err
			}
			continue
		}
		if it.outOfScope != "" {
			if apart, err := r.setApart(ctx, it); err != nil {
				return err
			} else if apart {
				if err := r.leave(ctx, it); err != nil {
					return err
				}
				continue
			}
		}
		if err := r.keep(ctx, it); err != nil {
			return err
		}
	}
	for _, res := range read.unkept {
		readable[res.Ref()] = true
		if err := r.unlist(ctx, res); err != nil {
			return err
		}
	}
	if err := r.noteStrangers(ctx, strangers, read); err != nil {
		return err
	}
	for _, ref := range page.Gone {
		if err := r.keepGone(ctx, ref, "deleted"); err != nil {
			return err
		}
	}
	if err := r.settleSwept(ctx, page, read, readable); err != nil {
		return err
	}
	for _, ref := range page.Gone {
		if ref.Type == "Appointment" && r.src.Party == fhir.Practice { // an unreadable event that the practice has taken out of its calendar says nothing any more
			readable[ref] = true
		}
	}
	orphans, err := r.keepRejects(ctx, read.rejects, open, readable)
	if err != nil {
		return err
	}
	if err := r.keepStrays(ctx, page); err != nil {
		return err
	}
	if err := r.moveClients(ctx); err != nil {
		return err
	}
	return r.settleSource(ctx, page, before, orphans)
}

// noteStrangers notes whose records were ignored at a prescriber, and whose own Patient record was read. Whoever was only
// named is asked for (Roster): a server may show what hangs on a Patient before the Patient itself, even on the one the
// hub wrote, and a delta never comes back to what it passed.
func (r *receipt) noteStrangers(ctx context.Context, named map[string]bool, read reading) error {
	if r.src.Party == fhir.Practice {
		return nil
	}
	seen := map[string]bool{}
	for _, it := range read.items {
		if it.Type == "Patient" {
			seen[it.ID] = true
			delete(named, it.ID)
		}
	}
	if len(seen) > 0 {
		if err := r.NoteSeen(ctx, table.NoteSeenParams{Source: r.src.Name, Since: r.at, Patients: set(seen)}); err != nil {
			return err
		}
	}
	if len(named) == 0 {
		return nil
	}
	return r.NoteStrangers(ctx, table.NoteStrangersParams{Source: r.src.Name, Since: r.at, Patients: set(named)})
}

// movedAway is why a record is gone for the patient it belonged to before.
const movedAway = "moved to another patient"

// leave has a record gone for the patient it belonged to before, when it is another's now.
func (r *receipt) leave(ctx context.Context, it item) error {
	if now := r.heads[it.Ref()]; now != nil && now.subject != it.subject {
		return r.keepGone(ctx, it.Ref(), movedAway)
	}
	return nil
}

// changedAway is why a record is gone that was kept, and says something else by now that is not (fhir.Recogniser.Keeps).
const changedAway = "changed to what the hub does not keep"

// unlist has a record gone that was kept, where res, its newer telling, is not: what it said before does not stand for ever.
func (r *receipt) unlist(ctx context.Context, res fhir.Resource) error {
	if now := r.heads[res.Ref()]; now == nil || !res.LastUpdated.IsZero() && res.LastUpdated.Before(now.LastUpdated) {
		return nil
	}
	return r.keepGone(ctx, res.Ref(), changedAway)
}

// keep stores a resource as a new version of its record, unless it tells nothing new (invariant 2).
func (r *receipt) keep(ctx context.Context, it item) error {
	now := r.heads[it.Ref()]
	switch {
	case now == nil:
		now = &head{}
		r.heads[it.Ref()] = now
	case !now.gone && it.Same(now.Resource):
		return nil
	case !now.gone && now.subject != it.subject:
		// It was another patient's: there it is gone.
		if err := r.putVersion(ctx, it.Ref(), now, item{subject: now.subject}, movedAway); err != nil {
			return err
		}
	case !now.gone && it.LastUpdated.Before(now.LastUpdated) && !it.LastUpdated.IsZero():
		return r.keepOlder(ctx, it, now)
	}
	if r.sweep && !r.fresh[it.subject] && it.subject != "" {
		r.done.Missed++
	}
	return r.putVersion(ctx, it.Ref(), now, it, "")
}

// keepOlder stores a version that arrives after a newer one, without letting it stand as the current one:
// the newer one is stored once more behind it.
func (r *receipt) keepOlder(ctx context.Context, it item, now *head) error {
	known, err := r.Known(ctx, table.KnownParams{Source: r.src.Name, Type: it.Type, ID: it.ID, Hash: it.Hash, VersionID: it.VersionID})
	if err != nil || known > 0 {
		return err
	}
	newest, err := r.VersionOf(ctx, table.VersionOfParams{Source: r.src.Name, Type: it.Type, ID: it.ID, N: now.n})
	if err != nil {
		return err
	}
	if heard := time.UnixMilli(newest.Received); now.LastUpdated.After(heard) && !it.LastUpdated.Before(heard) {
		return r.putVersion(ctx, it.Ref(), now, it, "") // that was written by a clock that ran ahead, and this after it was heard
	}
	if err := r.putVersion(ctx, it.Ref(), now, it, ""); err != nil {
		return err
	}
	return r.putVersion(ctx, it.Ref(), now, item{Resource: resourceOf(newest), subject: newest.Subject}, "")
}

// keepGone notes that the source no longer has a record.
func (r *receipt) keepGone(ctx context.Context, ref fhir.Ref, why string) error {
	now := r.heads[ref]
	if now == nil || now.gone {
		return nil
	}
	return r.putVersion(ctx, ref, now, item{subject: now.subject}, why)
}

// putVersion stores the next version of a record; why is set when it is gone.
func (r *receipt) putVersion(ctx context.Context, ref fhir.Ref, now *head, it item, why string) error {
	v := table.PutVersionParams{Source: r.src.Name, Type: ref.Type, ID: ref.ID, N: now.n + 1, Party: r.src.Party,
		Subject: it.subject, Moment: r.moment, Received: r.at, Gone: why != "", Why: why,
		VersionID: it.VersionID, LastUpdated: instant(it.LastUpdated), Hash: it.Hash, Body: string(it.Body)}
	v.Mac = r.seal("version", versionParts(table.Version(v))...)
	if err := r.PutVersion(ctx, v); err != nil {
		return fmt.Errorf("store %s: %w", ref.Type, err)
	}
	*now = head{n: v.N, party: v.Party, subject: it.subject, gone: v.Gone, Resource: it.Resource}
	if v.Gone {
		r.done.Gone++
	} else {
		r.done.Versions++
	}
	if err := r.keepMentions(ctx, ref, it); err != nil {
		return err
	}
	if it.subject != "" {
		r.moved[r.clients[it.subject]] = true
		return nil
	}
	clients, err := r.ClientsMentioning(ctx, table.ClientsMentioningParams{Source: r.src.Name, Type: ref.Type, ID: ref.ID})
	for _, client := range clients {
		r.moved[client] = true
	}
	return err
}

// keepMentions stores which directory entries a client's record, or another entry, refers to.
func (r *receipt) keepMentions(ctx context.Context, ref fhir.Ref, it item) error {
	origin := ref
	if it.subject != "" {
		origin = fhir.Ref{Type: "Patient", ID: it.subject}
	}
	for _, target := range it.mentions {
		m := mention{origin, target}
		if _, ok := r.said[m]; ok || origin == target {
			continue
		}
		if r.said == nil {
			r.said = map[mention]struct{}{}
		}
		r.said[m] = struct{}{}
		if err := r.PutMention(ctx, table.PutMentionParams{Source: r.src.Name, OriginType: origin.Type, OriginID: origin.ID,
			Type: target.Type, ID: target.ID, Moment: r.moment}); err != nil {
			return err
		}
		if ref.Type != "PractitionerRole" || target.Type != "Practitioner" {
			continue
		}
		// whoever names the practitioner is shown their roles too: that one ended, nobody else would tell
		if err := r.PutMention(ctx, table.PutMentionParams{Source: r.src.Name, OriginType: target.Type, OriginID: target.ID,
			Type: ref.Type, ID: ref.ID, Moment: r.moment}); err != nil {
			return err
		}
	}
	return nil
}

// loadHeads reads the current version of every record the page is about, one query a type.
func (r *receipt) loadHeads(ctx context.Context, page exchange.Page, read reading) error {
	byType := map[string]map[string]bool{}
	ask := func(ref fhir.Ref) {
		if byType[ref.Type] == nil {
			byType[ref.Type] = map[string]bool{}
		}
		byType[ref.Type][ref.ID] = true
	}
	for _, it := range read.items {
		ask(it.Ref())
	}
	for _, ref := range page.Gone {
		ask(ref)
	}
	for _, res := range read.unkept {
		ask(res.Ref())
	}
	for _, j := range slices.Concat(read.rejects, read.broken) {
		if j.Type != "" && j.Ref != "" {
			ask(fhir.Ref{Type: storable(j.Type), ID: storable(j.Ref)})
		}
	}
	r.heads = make(map[fhir.Ref]*head, len(read.items))
	for kind, ids := range byType {
		rows, err := r.Heads(ctx, table.HeadsParams{Ids: set(ids), Source: r.src.Name, Type: kind})
		if err != nil {
			return err
		}
		for _, h := range rows {
			r.heads[fhir.Ref{Type: kind, ID: h.ID}] = &head{n: h.N, party: h.Party, subject: h.Subject, gone: h.Gone,
				Resource: fhir.Resource{Type: kind, ID: h.ID, VersionID: h.VersionID, LastUpdated: readInstant(h.LastUpdated), Hash: h.Hash}}
		}
	}
	// A record that is gone may have belonged to a patient the page does not name otherwise.
	subjects := map[string]bool{}
	for _, h := range r.heads {
		if h.subject != "" && r.clients[h.subject] == "" {
			subjects[h.subject] = true
		}
	}
	return r.readLinks(ctx, subjects)
}

// moveClients marks the engagements of every client whose chart moved.
func (r *receipt) moveClients(ctx context.Context) error {
	delete(r.moved, "")
	if len(r.moved) == 0 {
		return nil
	}
	n, err := r.moveThem(ctx, r.moved)
	r.done.Clients += int(n)
	return err
}

// settleSource stores how far the source is read after this page. orphans are open rejects that belong to nobody.
func (r *receipt) settleSource(ctx context.Context, page exchange.Page, before table.Source, orphans int) error {
	after := before
	withheld := before.Withheld + int64(page.Unknowns)
	why := ""
	switch {
	case orphans > 0:
		why = fmt.Sprintf("unreadable record that belongs to nobody: %d open", orphans)
	case withheld > 0:
		why = fmt.Sprintf("rows withheld by the source: %d", withheld)
	}
	switch {
	case r.sweep:
		// A sweep never makes a source complete; what it cannot read makes it incomplete until the next complete read.
		if why == "" || !before.Complete {
			return nil
		}
		after.Complete, after.Why = false, why
	case page.More:
		after.Withheld = withheld // counted until the read has ended
		if orphans > 0 {
			after.Complete, after.Why = false, why
		}
		if after == before {
			return nil
		}
	case page.Aside:
		return nil
	default:
		if why == "" && !page.Complete {
			why = cmp.Or(page.Why, "read not complete")
		}
		after.Withheld, after.LastTried, after.Complete, after.Why = 0, r.at, why == "", why
		if asOf := r.at; after.Complete {
			if !page.AsOf.IsZero() {
				asOf = min(asOf, ms(page.AsOf))
			}
			after.LastComplete = max(after.LastComplete, asOf)
		}
	}
	r.noted = true
	n, err := r.putSource(ctx, before, after)
	r.done.Clients += int(n)
	return err
}

func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func readInstant(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}
	}
	return t
}
