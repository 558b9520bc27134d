package folder

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// cursor is how far the copies have been read. It never grows with them.
type cursor struct {
	Kind    string          `json:"folder"`         // "1"
	Seq     int             `json:"seq"`            // of the copy read whole last
	At      int             `json:"at,omitempty"`   // rows read of the one after it
	Held    bool            `json:"held,omitempty"` // the last Bundle lacks rows, and says so
	Back    []string        `json:"back,omitempty"` // patients read back within this read
	Growing map[string]look `json:"growing,omitempty"`
}

const (
	backAtOnce = 50  // patients read back with one page
	backInAll  = 500 // within one read; the rest wait for the next
)

func readCursor(c exchange.Cursor) (cursor, error) {
	if c == "" {
		return cursor{Kind: "1"}, nil
	}
	var at cursor
	if err := json.Unmarshal([]byte(c), &at); err != nil || at.Kind != "1" || at.Seq < 0 || at.At < 0 {
		return cursor{}, connectors.Errorf("read folder", connectors.Garbled, "the cursor is none of this connector's")
	}
	return at, nil
}

func (c cursor) write() exchange.Cursor {
	text, _ := json.Marshal(c) // numbers and words always encode
	return exchange.Cursor(text)
}

// Pull reads the copies on from a cursor; when it has read all, it first takes up what was left since.
func (s *source) Pull(ctx context.Context, since exchange.Cursor, roster exchange.Roster) (exchange.Page, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	page, err := s.pull(ctx, since, roster)
	if err != nil {
		return exchange.Page{}, s.trouble(ctx, err)
	}
	return page, nil
}

func (s *source) pull(ctx context.Context, since exchange.Cursor, roster exchange.Roster) (exchange.Page, error) {
	if err := ctx.Err(); err != nil {
		return exchange.Page{}, err
	}
	c, err := readCursor(since)
	if err != nil {
		return exchange.Page{}, err
	}
	copies, err := s.inbox.copies()
	switch {
	case errors.Is(err, fs.ErrNotExist) && c.Seq == 0 && c.At == 0:
		copies = nil // the first look ever
	case errors.Is(err, fs.ErrNotExist):
		return exchange.Page{}, &connectors.Error{Op: "read folder", Fault: connectors.Temporary, Unsent: true,
			Err: errors.New("the copies taken before are gone"), Hint: "is the share mounted? taken/ belongs to the records: put it back"}
	case err != nil:
		return exchange.Page{}, err
	}
	if page, ok, err := s.readBack(ctx, c, copies, roster.New); ok || err != nil {
		return page, err
	}
	unread := after(copies, c.Seq)
	looked := found{}
	look := len(unread) == 0
	if look {
		if looked, err = s.inbox.take(ctx, c.Growing); err != nil {
			return exchange.Page{}, err
		}
		c.Growing = looked.growing
		if copies, err = s.inbox.copies(); err != nil {
			return exchange.Page{}, err
		}
		unread = after(copies, c.Seq)
	}
	page, err := s.page(ctx, &c, copies, unread)
	if err != nil {
		return exchange.Page{}, err
	}
	page.More = len(after(copies, c.Seq)) > 0 || !look || looked.more
	if !page.More {
		c.Back = nil
		s.end(&page, copies, looked, c.Held)
	}
	page.Next = c.write()
	return page, nil
}

// end says how complete the read is that ends with this page.
func (s *source) end(page *exchange.Page, copies []copied, looked found, held bool) {
	switch {
	case len(looked.refused) > 0:
		slices.Sort(looked.refused)
		page.Why = fmt.Sprintf("files that cannot be taken: %d (%s); receipts/ beside them says why", len(looked.refused), slices.Compact(looked.refused)[0])
	case len(looked.growing) > 0:
		page.Why = fmt.Sprintf("files that are still being written: %d", len(looked.growing))
	case held:
		page.Why = "rows withheld from the last Bundle"
	case s.AsOfFile && len(copies) == 0:
		page.Why = "no file was ever left there"
	default:
		page.Complete = true
	}
	if s.AsOfFile && page.Complete {
		for _, c := range copies {
			if c.asOf.After(page.AsOf) {
				page.AsOf = c.asOf
			}
		}
		if now := s.Now(); page.AsOf.After(now) {
			page.AsOf = now
		}
	}
}

func after(copies []copied, seq int) []copied {
	i, _ := slices.BinarySearchFunc(copies, seq+1, func(c copied, seq int) int { return cmp.Compare(c.seq, seq) })
	return copies[i:]
}

// page reads on from c, over as many copies as fit, and moves c.
func (s *source) page(ctx context.Context, c *cursor, copies, unread []copied) (exchange.Page, error) {
	var p exchange.Page
	rows := 0
	for _, file := range unread {
		if err := ctx.Err(); err != nil {
			return p, err
		}
		if rows >= s.PageSize {
			return p, nil
		}
		f, err := s.open(file)
		if err != nil {
			return p, err
		}
		to := min(len(f.items), c.At+s.PageSize-rows)
		for _, it := range f.items[min(c.At, to):to] {
			s.tell(&p, file, it)
			rows++
		}
		if to < len(f.items) {
			c.At = to
			return p, nil
		}
		gone, err := s.left(copies, file, f)
		if err != nil {
			return p, err
		}
		p.Gone = append(p.Gone, gone...)
		if s.inbox.kind(file.original()) == "bundle" {
			c.Held = slices.ContainsFunc(f.items, func(it item) bool { return it.withheld })
		}
		c.Seq, c.At = file.seq, 0
	}
	return p, nil
}

// tell adds what one row says.
func (s *source) tell(p *exchange.Page, file copied, it item) {
	p.Resources = append(p.Resources, it.resources...)
	p.Gone = append(p.Gone, it.gone...)
	if it.withheld {
		p.Unknowns++
	}
	if it.refused != nil {
		p.Rejects = append(p.Rejects, s.reject(file, it.refused))
	}
}

// reject is a refused row as it is kept. One that would have been a certain record is closed when that can be read; a row
// of statuses tells of several at once, and only a person can say that it is made good.
func (s *source) reject(file copied, r *Refusal) fhir.Reject {
	sum := sha256.Sum256(r.Row)
	j := fhir.Reject{Source: s.Name, Type: r.Type, Ref: r.ID, Reason: s.inbox.kind(file.original()) + " " + r.String(),
		Body: r.Row, Hash: hex.EncodeToString(sum[:])}
	if r.Client != "" {
		j.Subject = fhir.Ref{Type: "Patient", ID: r.Client}
	}
	return j
}

// parsed is one copy, read.
type parsed struct {
	name  string
	items []item
	whole bool
}

// open reads a copy; the one read last is still at hand.
func (s *source) open(file copied) (parsed, error) {
	if s.parsed.name == file.name {
		return s.parsed, nil
	}
	body, err := os.ReadFile(filepath.Join(s.inbox.dir("taken"), file.name))
	if err != nil {
		return parsed{}, err
	}
	if sum := sha256.Sum256(body); hex.EncodeToString(sum[:])[:len(file.digest)] != file.digest {
		return parsed{}, &connectors.Error{Op: "read copy", Fault: connectors.Garbled, Unsent: true,
			Err: fmt.Errorf("copy %d is not what was taken", file.seq), Hint: "put it back from a backup"}
	}
	items, whole, err := s.inbox.parse(s.inbox.kind(file.original()), body, file.asOf)
	if wrong, ok := errors.AsType[*Unread](err); ok { // it could be read when it was taken: the config means it otherwise now
		items = []item{{line: 1, refused: &Refusal{Line: 1, Reason: wrong.Reason, Row: body}}}
	} else if err != nil {
		return parsed{}, err
	}
	s.parsed = parsed{name: file.name, items: items, whole: whole}
	return s.parsed, nil
}

// left returns the clients who stood in the roster before this one and do not stand in this one. Their Patient is gone
// from the source, which is a finding (R48) and nothing more: nothing else that was told of them is taken back.
func (s *source) left(copies []copied, file copied, f parsed) (gone []fhir.Ref, err error) {
	if s.Partial || !f.whole || s.inbox.kind(file.original()) != "roster" {
		return nil, nil
	}
	for _, earlier := range slices.Backward(copies) {
		if earlier.seq >= file.seq || s.inbox.kind(earlier.original()) != "roster" {
			continue
		}
		before, err := s.open(earlier)
		if err != nil {
			return nil, err
		}
		now := everybody(f)
		for id := range everybody(before) {
			if !now[id] {
				gone = append(gone, fhir.Ref{Type: "Patient", ID: id})
			}
		}
		slices.SortFunc(gone, func(a, b fhir.Ref) int { return cmp.Compare(a.ID, b.ID) })
		return gone, nil
	}
	return nil, nil
}

// everybody is whom a roster names, readably or not.
func everybody(f parsed) map[string]bool {
	all := map[string]bool{}
	for _, it := range f.items {
		if it.refused != nil && it.refused.Client != "" {
			all[it.refused.Client] = true
		}
		for _, r := range it.resources {
			if r.Type == "Patient" {
				all[r.ID] = true
			}
		}
	}
	return all
}

// readBack answers a page with everything the copies read so far tell of patients new to the hub; ok is false when there
// are none.
func (s *source) readBack(ctx context.Context, c cursor, copies []copied, fresh []string) (p exchange.Page, ok bool, err error) {
	var ask []string
	for _, id := range fresh {
		if !slices.Contains(c.Back, id) && len(ask) < backAtOnce && len(ask)+len(c.Back) < backInAll {
			ask = append(ask, id)
		}
	}
	if len(ask) == 0 {
		return p, false, nil
	}
	sh, err := s.stand(ctx, copies, c.Seq)
	if err != nil {
		return p, false, err
	}
	wanted := map[string]bool{}
	for _, id := range ask {
		wanted[id] = true
	}
	for _, ref := range slices.SortedFunc(maps.Keys(sh.records), func(a, b fhir.Ref) int { return cmp.Compare(a.String(), b.String()) }) {
		switch r := sh.records[ref]; {
		case r.refused != nil && wanted[r.reject.Subject.ID]:
			p.Rejects = append(p.Rejects, r.reject) // it is there, though it cannot be read
		case r.refused == nil && r.resource.Type != "" && wanted[subject(r.resource)]:
			p.Resources = append(p.Resources, r.resource)
		}
	}
	c.Back = append(slices.Clone(c.Back), ask...)
	p.Swept, p.More, p.Next = ask, true, c.write()
	return p, true, nil
}

func subject(r fhir.Resource) string {
	if r.Type == "Patient" {
		return r.ID
	}
	ref, _ := fhir.Subject(r)
	return ref.ID
}

// shelf is how every record stands after the copy of that number.
type shelf struct {
	seq     int
	records map[fhir.Ref]standing
}

// standing is the last that was told of a record: the resource, that it is gone, or why it could not be read.
type standing struct {
	resource fhir.Resource
	refused  *Refusal
	reject   fhir.Reject // with refused
}

// stand brings the shelf to where the copy of number seq was read.
func (s *source) stand(ctx context.Context, copies []copied, seq int) (*shelf, error) {
	if s.shelf == nil || s.shelf.seq > seq {
		s.shelf = &shelf{records: map[fhir.Ref]standing{}}
	}
	for _, file := range after(copies, s.shelf.seq) {
		if file.seq > seq {
			break
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f, err := s.open(file)
		if err != nil {
			return nil, err
		}
		gone, err := s.left(copies, file, f)
		if err != nil {
			return nil, err
		}
		s.put(file, f.items, gone)
		s.shelf.seq = file.seq
	}
	return s.shelf, nil
}

// put puts what a copy tells on the shelf.
func (s *source) put(file copied, items []item, gone []fhir.Ref) {
	sh := s.shelf
	for _, it := range items {
		for _, r := range it.resources {
			was := sh.records[r.Ref()].resource
			if r.LastUpdated.IsZero() || !r.LastUpdated.Before(was.LastUpdated) {
				sh.records[r.Ref()] = standing{resource: r}
			}
		}
		for _, ref := range it.gone {
			sh.records[ref] = standing{}
		}
		if r := it.refused; r != nil && r.Type != "" && r.ID != "" {
			sh.records[fhir.Ref{Type: r.Type, ID: r.ID}] = standing{refused: r, reject: s.reject(file, r)}
		}
	}
	for _, ref := range gone {
		sh.records[ref] = standing{}
	}
}

// Read returns a record as the copies tell it.
func (s *source) Read(ctx context.Context, ref fhir.Ref) (fhir.Resource, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.inbox.take(ctx, nil); err != nil { // what was left since stands there now
		return fhir.Resource{}, s.trouble(ctx, err)
	}
	copies, err := s.inbox.copies()
	if err != nil {
		return fhir.Resource{}, s.trouble(ctx, err)
	}
	last := 0
	if len(copies) > 0 {
		last = copies[len(copies)-1].seq
	}
	sh, err := s.stand(ctx, copies, last)
	if err != nil {
		return fhir.Resource{}, s.trouble(ctx, err)
	}
	switch r := sh.records[ref]; {
	case r.refused != nil:
		return fhir.Resource{}, connectors.Errorf("read "+ref.Type, connectors.Garbled, "it was refused: %s", r.refused.Reason)
	case r.resource.Type == "":
		return fhir.Resource{}, fmt.Errorf("read %s: %w", ref.Type, exchange.ErrNotFound)
	default:
		return r.resource, nil
	}
}

// trouble turns what went wrong with the directory into an error of the contract. A path is the operator's, but a file's
// name may be a client's: neither is repeated.
func (s *source) trouble(ctx context.Context, err error) error {
	if _, ok := errors.AsType[*connectors.Error](err); ok {
		return err
	}
	return trouble(ctx, "read folder", err)
}

func trouble(ctx context.Context, op string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", op, ctx.Err())
	}
	e := &connectors.Error{Op: op, Fault: connectors.Temporary, Unsent: true, Hint: "is the share mounted, and the disk not full?"}
	why := err
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		why = p.Err
	} else if l, ok := errors.AsType[*os.LinkError](err); ok {
		why = l.Err
	}
	e.Err = fmt.Errorf("the directory cannot be used: %w", why)
	if errors.Is(err, fs.ErrPermission) {
		e.Fault, e.Hint = connectors.Denied, "let the hub's user read and write the directory"
	}
	return e
}
