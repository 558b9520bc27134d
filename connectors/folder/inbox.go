package folder

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// inbox takes up what a party left. Taking a file means: read it whole, look that it did not change meanwhile, keep what
// was read as the next copy, write the receipt, remove the file. Stopped anywhere, the next look ends the same way.
type inbox struct{ Options }

// copied is a file that was taken.
type copied struct {
	seq    int
	name   string // in taken/
	digest string // the beginning of its SHA-256
	asOf   time.Time
}

// kind is what a file's name says that it holds.
func (b *inbox) kind(name string) string {
	lower := strings.ToLower(name)
	fits := func(pattern string) bool {
		ok, err := path.Match(strings.ToLower(pattern), lower)
		return ok && err == nil
	}
	switch {
	case fits(b.Roster) && b.Party == fhir.Practice:
		return "roster"
	case fits(b.Statuses) && b.Party != fhir.Practice:
		return "statuses"
	case strings.HasSuffix(lower, ".json"):
		return "bundle"
	case strings.HasSuffix(lower, ".ndjson"):
		return "ndjson"
	}
	return ""
}

// passed reports whether name is nobody's business: hidden, being written under another name, a marker, or ignored.
func (b *inbox) passed(name string) bool {
	lower := strings.ToLower(name)
	return strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~") ||
		slices.Contains([]string{".part", ".tmp", ".filepart", ".crdownload", ".done"}, filepath.Ext(lower)) ||
		slices.ContainsFunc(b.Ignore, func(pattern string) bool {
			ok, err := path.Match(strings.ToLower(pattern), lower)
			return ok && err == nil
		})
}

// look is how a file stood when it was seen before.
type look struct {
	Size  int64 `json:"s"`
	Mtime int64 `json:"m"`
	Seen  int64 `json:"t"` // when first so, unix
}

// found is what a look into the directory brought.
type found struct {
	taken   int
	more    bool            // there is more than one look takes
	growing map[string]look // by the digest of their names: to be looked at again
	refused []string        // file… codes of what cannot be taken
}

const (
	atOnce  = 100 // files taken in one look
	looksAt = 500 // growing files remembered
)

// take takes up what is whole, oldest first. before is what was still growing at the last look.
func (b *inbox) take(ctx context.Context, before map[string]look) (found, error) {
	f := found{growing: map[string]look{}}
	for _, dir := range []string{b.In, b.dir("taken"), b.dir("receipts")} {
		if err := ensure(dir, dir != b.In); err != nil {
			return f, err
		}
	}
	infos, err := b.list()
	if err != nil {
		return f, err
	}
	for _, info := range infos {
		if err := ctx.Err(); err != nil {
			return f, err
		}
		if f.taken >= atOnce {
			f.more = true
			return f, nil
		}
		name := info.Name()
		if wrong := b.unfit(info); wrong != nil {
			f.refused = append(f.refused, wrong.Reason)
			if err := b.receiptOfNothing(info, wrong); err != nil {
				return f, err
			}
			continue
		}
		sign := key("look", name)[:16]
		if now, whole := b.whole(info, before[sign]); !whole {
			if len(f.growing) < looksAt {
				f.growing[sign] = now
			}
			continue
		}
		switch err := b.one(info); {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, errChanged):
			continue // taken back, or still written: it is looked at again
		case err != nil:
			wrong, ok := errors.AsType[*Unread](err)
			if !ok {
				return f, err
			}
			f.refused = append(f.refused, wrong.Reason)
			if err := b.receiptOfNothing(info, wrong); err != nil {
				return f, err
			}
		default:
			f.taken++
		}
	}
	return f, nil
}

func (b *inbox) dir(name string) string { return filepath.Join(b.In, name) }

// list returns what lies there, oldest first; files of one moment by name.
func (b *inbox) list() ([]fs.FileInfo, error) {
	entries, err := os.ReadDir(b.In)
	if err != nil {
		return nil, err
	}
	var infos []fs.FileInfo
	for _, e := range entries {
		if b.passed(e.Name()) || e.IsDir() && slices.Contains([]string{b.dir("taken"), b.dir("receipts"), b.Out}, b.dir(e.Name())) {
			continue
		}
		info, err := e.Info() // of the thing itself: no link is followed
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		infos = append(infos, info)
	}
	slices.SortFunc(infos, func(a, b fs.FileInfo) int {
		return cmp.Or(a.ModTime().Compare(b.ModTime()), cmp.Compare(a.Name(), b.Name()))
	})
	return infos, nil
}

// unfit tells what of a file's outside keeps it from being taken.
func (b *inbox) unfit(info fs.FileInfo) *Unread {
	switch {
	case info.IsDir():
		return &Unread{Reason: fileNotPlain, Hint: "it is a directory, and nobody looks into it; put its files here, or name it under ignore in the config"}
	case !info.Mode().IsRegular():
		return &Unread{Reason: fileNotPlain, Hint: "it is a link, a pipe or a device; put the file itself there"}
	case b.kind(info.Name()) == "":
		return &Unread{Reason: fileUnknown, Hint: fmt.Sprintf("it is none of %s; name it so, or name it under ignore in the config", b.kinds())}
	case info.Size() > b.MaxBytes:
		return &Unread{Reason: fileTooLarge, Hint: fmt.Sprintf("it has more than %d bytes; export less at a time, or raise max_bytes in the config", b.MaxBytes)}
	}
	return nil
}

func (b *inbox) kinds() string {
	table := b.Statuses
	if b.Party == fhir.Practice {
		table = b.Roster
	}
	return table + ", *.json, *.ndjson"
}

// whole reports whether nobody writes to the file any more: a marker NAME.done says so, or it has lain unchanged for a
// while by its own time, or by ours since the look before.
func (b *inbox) whole(info fs.FileInfo, before look) (look, bool) {
	now := b.Now()
	this := look{Size: info.Size(), Mtime: info.ModTime().UnixNano(), Seen: now.Unix()}
	if this.Size == before.Size && this.Mtime == before.Mtime {
		this.Seen = before.Seen
	}
	if marker, err := os.Lstat(filepath.Join(b.In, info.Name()+".done")); err == nil && marker.Mode().IsRegular() {
		return this, true
	}
	lain := now.Sub(info.ModTime()) >= b.Wait
	seen := now.Sub(time.Unix(this.Seen, 0)) >= b.Wait && this.Seen == before.Seen
	return this, info.Size() > 0 && lain || seen
}

var errChanged = errors.New("it changed while it was read")

// one takes one file. The error is an *Unread when its content cannot be taken.
func (b *inbox) one(info fs.FileInfo) error {
	at := filepath.Join(b.In, info.Name())
	body, err := b.read(at, info)
	if err != nil {
		return err
	}
	items, _, err := b.parse(b.kind(info.Name()), body, info.ModTime())
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	digest := hex.EncodeToString(sum[:])
	all, err := b.copies()
	if err != nil {
		return err
	}
	again := slices.ContainsFunc(all, func(c copied) bool { // the very same file, left there once more
		return strings.HasPrefix(digest, c.digest) && !info.ModTime().Truncate(time.Second).After(c.asOf)
	})
	copy := ""
	if !again {
		seq := 1
		if len(all) > 0 {
			seq = all[len(all)-1].seq + 1
		}
		copy = fmt.Sprintf("%08d-%s-%s-%s", seq, b.Now().UTC().Format("20060102T150405Z"), digest[:12], plainName(info.Name()))
		if err := b.keep(copy, body, info.ModTime()); err != nil {
			return err
		}
	}
	if err := b.receipt(info, digest, copy, items); err != nil {
		return err
	}
	if now, err := os.Lstat(at); err == nil && (!os.SameFile(now, info) || now.Size() != info.Size() || !now.ModTime().Equal(info.ModTime())) {
		return nil // another was put in its place: it is the next to be taken
	}
	_ = os.Remove(at + ".done")
	if err := os.Remove(at); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove what was taken: %w", err)
	}
	return nil
}

// read reads a file whole, unless it is another than info or changes meanwhile.
func (b *inbox) read(at string, info fs.FileInfo) ([]byte, error) {
	f, err := os.OpenFile(at, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe put in its place keeps nobody waiting
	if errors.Is(err, fs.ErrPermission) {
		return nil, &Unread{Reason: fileForbidden, Hint: "the hub's user may not read it"}
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	same := func() bool {
		now, err := f.Stat()
		return err == nil && os.SameFile(now, info) && now.Size() == info.Size() && now.ModTime().Equal(info.ModTime())
	}
	if !same() {
		return nil, errChanged
	}
	body, err := io.ReadAll(io.LimitReader(f, b.MaxBytes+1))
	if err != nil {
		return nil, err
	}
	if int64(len(body)) != info.Size() || !same() {
		return nil, errChanged
	}
	return body, nil
}

// parse reads a file by its kind. whole is false for a roster in which a row belongs to nobody who could be told.
func (b *inbox) parse(kind string, body []byte, at time.Time) (items []item, whole bool, err error) {
	format := b.Format
	format.Now = at // nothing is in the future of the file that tells it
	switch kind {
	case "roster":
		items, whole, err = roster(body, format)
		if err == nil && len(items) == 0 {
			err = &Unread{Reason: fileEmpty, Hint: "it has a header and no clients; export it again"}
		}
	case "statuses":
		items, err = statuses(body, format)
	case "bundle":
		items, err = readJSON(body)
	default:
		items, err = readNDJSON(body)
	}
	return items, whole, err
}

// keep writes a copy that only the hub's user may read, under its name at once or not at all.
func (b *inbox) keep(name string, body []byte, asOf time.Time) error {
	return writeWhole(b.dir("taken"), name, body, asOf)
}

// writeWhole writes a file that only the hub's user may read: it stands there whole, or not at all.
func writeWhole(dir, name string, body []byte, asOf time.Time) (err error) {
	f, err := os.CreateTemp(dir, ".writing-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(body); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if !asOf.IsZero() {
		if err = os.Chtimes(f.Name(), asOf, asOf); err != nil {
			return err
		}
	}
	return os.Rename(f.Name(), filepath.Join(dir, name)) // CreateTemp gives mode 0600
}

// copies returns what was taken, in the order in which it was.
func (b *inbox) copies() ([]copied, error) {
	entries, err := os.ReadDir(b.dir("taken"))
	if err != nil {
		return nil, err
	}
	var all []copied
	for _, e := range entries {
		parts := strings.SplitN(e.Name(), "-", 4)
		if len(parts) != 4 || len(parts[2]) != 12 || !e.Type().IsRegular() {
			continue
		}
		seq, err := strconv.Atoi(parts[0])
		info, wrong := e.Info()
		if err != nil || wrong != nil || seq <= 0 {
			continue
		}
		all = append(all, copied{seq: seq, name: e.Name(), digest: parts[2], asOf: info.ModTime()})
	}
	slices.SortFunc(all, func(a, b copied) int { return cmp.Compare(a.seq, b.seq) })
	return all, nil
}

// original is the name under which the party left it.
func (c copied) original() string { return strings.SplitN(c.name, "-", 4)[3] }

// receiptFile is what the party finds of each file: what became of it, and never a value of it.
type receiptFile struct {
	File    string     `json:"file"`
	SHA256  string     `json:"sha256,omitempty"`
	Kind    string     `json:"kind,omitempty"`
	At      time.Time  `json:"at"`
	Taken   bool       `json:"taken"`
	Again   bool       `json:"taken_before,omitempty"` // the very same file was taken before: nothing new
	Why     string     `json:"why,omitempty"`          // why it was not taken
	Next    string     `json:"next,omitempty"`         // what to do
	Rows    int        `json:"rows"`
	Refused int        `json:"refused"`
	Lines   []lineFile `json:"lines,omitempty"` // the refused ones
}

type lineFile struct {
	Line   int    `json:"line"`
	Column string `json:"column,omitempty"`
	Reason string `json:"reason"`
}

const linesKept = 1000 // refused lines that a receipt names; the rest are counted

func (b *inbox) receipt(info fs.FileInfo, digest, copy string, items []item) error {
	r := receiptFile{File: info.Name(), SHA256: digest, Kind: b.kind(info.Name()), At: b.Now().UTC(), Taken: true, Again: copy == "", Rows: len(items)}
	for _, it := range items {
		if it.refused == nil {
			continue
		}
		r.Refused++
		if len(r.Lines) < linesKept {
			r.Lines = append(r.Lines, lineFile{it.refused.Line, it.refused.Column, it.refused.Reason})
		}
	}
	return b.writeReceipt(info, r)
}

// receiptOfNothing says why a file was left where it is. It is written once for each state of the file.
func (b *inbox) receiptOfNothing(info fs.FileInfo, wrong *Unread) error {
	r := receiptFile{File: info.Name(), Kind: b.kind(info.Name()), At: b.Now().UTC(), Why: wrong.Reason, Next: wrong.Hint}
	if old, err := os.ReadFile(filepath.Join(b.dir("receipts"), receiptName(info))); err == nil {
		var was receiptFile
		if json.Unmarshal(old, &was) == nil && was.Why == r.Why && was.Next == r.Next && !was.At.Before(info.ModTime()) {
			return nil
		}
	}
	return b.writeReceipt(info, r)
}

func (b *inbox) writeReceipt(info fs.FileInfo, r receiptFile) error {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(r); err != nil {
		return err
	}
	return writeWhole(b.dir("receipts"), receiptName(info), out.Bytes(), time.Time{})
}

func receiptName(info fs.FileInfo) string { return plainName(info.Name()) + ".receipt.json" }

// plainName is name with nothing in it that means something to a shell or a path, and no longer than a file's may be.
func plainName(name string) string {
	plain := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '.', r == '_', r == '-':
			return r
		}
		return '_'
	}, name)
	if len(plain) > 150 {
		plain = key(name)[:12] + plain[len(plain)-100:]
	}
	return plain
}

// ensure makes a directory of the hub's own; one of the party's must be there.
func ensure(dir string, ours bool) error {
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) && ours {
		return os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%w: it is no directory", fs.ErrInvalid)
	}
	return nil
}
