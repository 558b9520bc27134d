package fhirrest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/internal/rest"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// Push makes d stand at the server, once:
//
//	                                 none there   one there                            two there
//	look by identifier               create       existed; an update is put if it differs  conflict
//	cannot look, first try           create
//	cannot look, asked or update     create if creates are conditional, else uncertain
//
// Some servers state conditional creates and ignore the condition without a word, hence the look first, always; and the
// condition is always sent, for a search may show a record later than it is made.
func (s *server) Push(ctx context.Context, d exchange.Delivery, asked bool) (exchange.Receipt, error) {
	receipt, err := s.push(ctx, d, asked)
	if err != nil {
		if asked {
			err = sending(err, false) // this try may have sent nothing; the earlier one is still in doubt
		}
		return exchange.Receipt{}, err
	}
	receipt.At = s.now()
	return receipt, nil
}

func (s *server) push(ctx context.Context, d exchange.Delivery, asked bool) (exchange.Receipt, error) {
	if d.Type == "" || d.Copy.System == "" || d.Copy.Value == "" {
		return exchange.Receipt{}, sending(connectors.Errorf("create "+d.Type, connectors.Refused, "a delivery needs a type and an identifier of its copy"), true)
	}
	offers, err := s.offers(ctx)
	if err != nil {
		return exchange.Receipt{}, sending(err, true)
	}
	if at, version, ok := d.InPlace(); ok {
		return s.edit(ctx, d, at, version)
	}
	found, err := s.lookUp(ctx, offers, d)
	if may := offers.writing[d.Type]; !may.create && may.from != "" && len(found) == 0 {
		e := connectors.Errorf("create "+d.Type, connectors.Refused, "it cannot be written there")
		e.Hint, e.Codes = "kaphub check says what is done instead", []string{"error/not-supported"}
		return exchange.Receipt{}, sending(e, true)
	}
	switch {
	case errors.Is(err, errBlind) && (asked || d.Update) && !offers.condition.is:
		return exchange.Receipt{}, err
	case errors.Is(err, errBlind):
		return s.create(ctx, offers, d)
	case err != nil:
		return exchange.Receipt{}, sending(err, true)
	case len(found) > 1:
		return exchange.Receipt{}, sending(twoCopies("create "+d.Type), true)
	case len(found) == 1 && found[0].theirs:
		return exchange.Receipt{Outcome: exchange.OutcomeExisted, Ref: found[0].ref, VersionID: found[0].version, Codes: []string{exchange.CodeTheirs}}, nil
	case len(found) == 1:
		return s.settle(ctx, offers, d, found[0])
	case asked && !offers.condition.is && s.now().Sub(d.Tried).Abs() < toShow:
		e := connectors.Errorf("search "+d.Type, connectors.Temporary, "not there yet; it is given time to show")
		e.After = toShow
		return exchange.Receipt{}, e
	}
	return s.create(ctx, offers, d)
}

// toShow is how long after a try a search may still not show what it made. Where nothing else keeps a second copy from
// being made, "not there" is believed only later.
const toShow = time.Minute

// Ask tells whether d's copy stands there, and sends nothing. Nothing there is exchange.ErrNotFound; a server that
// cannot be asked is Uncertain.
func (s *server) Ask(ctx context.Context, d exchange.Delivery) (exchange.Receipt, error) {
	if at, _, ok := d.InPlace(); ok {
		return s.edited(ctx, d, at)
	}
	offers, err := s.offers(ctx)
	if err != nil {
		return exchange.Receipt{}, sending(err, false)
	}
	op := "ask for " + d.Type
	found, err := s.lookUp(ctx, offers, d)
	switch {
	case err != nil:
		return exchange.Receipt{}, sending(err, false)
	case len(found) == 0:
		return exchange.Receipt{}, connectors.Errorf(op, connectors.Refused, "%w", exchange.ErrNotFound)
	case len(found) > 1:
		return exchange.Receipt{}, twoCopies(op)
	}
	return exchange.Receipt{Outcome: exchange.OutcomeExisted, Ref: found[0].ref, VersionID: found[0].version, At: s.now()}, nil
}

// identifies reports whether records of typ can be searched by identifier.
func (o *offer) identifies(typ string) bool {
	known, ok := o.identify[typ]
	return known || !ok && o.anyID
}

// standing is a record at the server that carries our identifier. It is read with one eye only: a copy that the server
// rewrote into something the gate would refuse is still ours, and not to be made a second time.
type standing struct {
	ref     fhir.Ref
	version string
	body    []byte
	theirs  bool // it is not ours: their own record of the client or the referral that we bring
}

// known are the business identifiers by which the other side may know the client or the referral already that d brings.
// Only what d tells anyway is asked by.
func known(d exchange.Delivery) (ids []fhir.ID) {
	if d.Type != "Patient" && d.Type != "ServiceRequest" {
		return nil
	}
	for _, id := range fhir.Identifiers(fhir.Resource{Type: d.Type, Body: d.Body}) {
		if id.System != fhir.SystemCopy && id.System != fhir.SystemClient {
			ids = append(ids, id)
		}
	}
	return ids
}

func ours(body []byte, d exchange.Delivery) (standing, bool) {
	var glance struct {
		ResourceType, ID string
		Meta             struct{ VersionID string }
		Identifier       []fhir.ID
	}
	if json.Unmarshal(body, &glance) != nil || glance.ID == "" || glance.ResourceType != d.Type {
		return standing{}, false
	}
	st := standing{ref: fhir.Ref{Type: d.Type, ID: glance.ID}, version: glance.Meta.VersionID, body: body}
	if slices.Contains(glance.Identifier, d.Copy) {
		return st, true
	}
	st.theirs = slices.ContainsFunc(known(d), func(id fhir.ID) bool { return slices.Contains(glance.Identifier, id) })
	return st, st.theirs
}

var errBlind = errors.New("it may stand there, and the server cannot be asked by identifier")

func blind(op string) error {
	e := connectors.Errorf(op, connectors.Uncertain, "%w", errBlind)
	e.Hint = "look there for the record, then mark the delivery as arrived or retry it"
	return e
}

// lookUp finds every record that carries d's identifier; and where there is none, of a client or a referral their own record of it.
// errBlind if the server does not take such a search. One that ignores the parameter answers with everything: only what
// really carries the identifier counts.
func (s *server) lookUp(ctx context.Context, offers *offer, d exchange.Delivery) ([]standing, error) {
	call := rest.Call{Op: "search " + d.Type, Path: d.Type, Query: url.Values{"identifier": {token(d.Copy)}}}
	for _, id := range known(d) {
		call.Query.Set("identifier", call.Query.Get("identifier")+","+token(id))
	}
	if !offers.identifies(d.Type) {
		return nil, blind(call.Op)
	}
	w := walk{Type: d.Type}
	held := false
	var found []standing
	for {
		b, _, err := s.search(ctx, call)
		if connectors.FaultOf(err) == connectors.Refused && err != nil {
			return nil, blind(call.Op) // not the same as "not found"
		}
		if err != nil {
			return nil, err
		}
		for _, e := range b.entries {
			st, ok := ours(e.resource, d)
			if ok && !slices.ContainsFunc(found, func(have standing) bool { return have.ref == st.ref }) {
				found = append(found, st)
			}
		}
		held = held || b.withholds()
		done, loop := w.follow(b, false)
		switch {
		case loop || w.Pages >= s.dialect.MaxPages && !done:
			return nil, pagingLoop(call.Op)
		case done && len(found) == 0 && (held || w.short(b)):
			return nil, blind(call.Op) // it may be among what is not shown
		case done:
			if own := slices.DeleteFunc(slices.Clone(found), func(st standing) bool { return st.theirs }); len(own) > 0 {
				return own, nil
			}
			return found, nil
		}
		call = rest.Call{Op: call.Op, Link: w.Link}
	}
}

// create posts d. The condition is always sent: a server that knows it will not make a second copy.
func (s *server) create(ctx context.Context, offers *offer, d exchange.Delivery) (exchange.Receipt, error) {
	call := rest.Call{
		Op: "create " + d.Type, Method: http.MethodPost, Path: d.Type, Body: d.Body,
		IfNoneExist: url.Values{"identifier": {token(d.Copy)}}.Encode(),
	}
	answer, err := s.client.Do(ctx, call)
	if answer.Status == http.StatusPreconditionFailed {
		return exchange.Receipt{}, sending(twoCopies(call.Op), true)
	}
	if err != nil {
		return exchange.Receipt{}, err
	}
	at := standsAt(d.Type, answer)
	if at.ref.IsZero() { // it says neither where nor what
		found, err := s.lookUp(ctx, offers, d)
		switch {
		case err != nil && !errors.Is(err, errBlind):
			return exchange.Receipt{}, sending(err, false)
		case len(found) > 1:
			return exchange.Receipt{}, twoCopies(call.Op)
		case len(found) == 1:
			at = found[0]
		}
	}
	if at.ref.IsZero() {
		return exchange.Receipt{}, connectors.Errorf(call.Op, connectors.Uncertain, "the server took it and does not say where it stands")
	}
	if answer.Status != http.StatusOK {
		return s.readBack(ctx, d, exchange.Receipt{Outcome: exchange.OutcomeCreated, Ref: at.ref, VersionID: at.version})
	}
	at.body = nil // what the condition matched may have moved since
	return s.settle(ctx, offers, d, at)
}

// settle is about a copy that stands there: it is left as it is, or an update is put in its place if the words differ.
// Somebody may be faster; then it is read again and decided again, once.
func (s *server) settle(ctx context.Context, offers *offer, d exchange.Delivery, at standing) (exchange.Receipt, error) {
	existed := exchange.Receipt{Outcome: exchange.OutcomeExisted, Ref: at.ref, VersionID: at.version}
	if !d.Update && at.body != nil {
		return existed, nil
	}
	for range 2 {
		now, err := s.look(ctx, d, at.ref)
		if err != nil {
			return exchange.Receipt{}, err
		}
		if existed.VersionID = now.version; !d.Update {
			return existed, nil
		}
		next, err := keeping(now.body, d.Type, d.Body)
		switch {
		case err != nil:
			return exchange.Receipt{}, sending(connectors.Errorf("update "+d.Type, connectors.Refused, "keep what others added: %w", err), true)
		case sameContent(now.body, next):
			return existed, nil
		}
		receipt, err := s.replace(ctx, offers, d, next, now)
		if err == nil || connectors.FaultOf(err) != connectors.Conflict {
			return receipt, err
		}
	}
	e := connectors.Errorf("update "+d.Type, connectors.Conflict, "it changed twice while it was written: %w", exchange.ErrConflict)
	return exchange.Receipt{}, sending(e, true) // both puts were turned down
}

// replace puts body, which is d's, in the place of old, if old is still what stands there.
func (s *server) replace(ctx context.Context, offers *offer, d exchange.Delivery, body []byte, old standing) (exchange.Receipt, error) {
	op := "update " + d.Type
	body, err := fhir.Apply(body, fhir.Edit{Path: "id", Value: old.ref.ID})
	if err != nil {
		return exchange.Receipt{}, sending(connectors.Errorf(op, connectors.Refused, "give it its id: %w", err), true)
	}
	call := rest.Call{Op: op, Method: http.MethodPut, Path: d.Type + "/" + url.PathEscape(old.ref.ID), Body: body}
	if old.version != "" {
		call.IfMatch = `W/"` + old.version + `"`
	}
	answer, err := s.client.Do(ctx, call)
	if err != nil {
		return exchange.Receipt{}, err
	}
	written := standsAt(d.Type, answer)
	receipt, err := s.readBack(ctx, d, exchange.Receipt{Outcome: exchange.OutcomeUpdated, Ref: old.ref, VersionID: written.version})
	if err == nil && s.overwrote(ctx, offers, old, cmp.Or(written.version, receipt.VersionID)) {
		receipt.Codes = append(receipt.Codes, exchange.CodeOverwrote)
	}
	return receipt, err
}

// overwrote reports whether an update that the server took was put over words of somebody else's that nobody here has
// read: between the version that was looked at and ours stands another. A server that looks at If-Match turns such an
// update down; of one that does not, and of one that says so wrongly, the versions tell. It is noted that it does not.
func (s *server) overwrote(ctx context.Context, offers *offer, old standing, ours string) bool {
	before, err1 := strconv.Atoi(old.version)
	after, err2 := strconv.Atoi(ours)
	if old.version == "" || ours == "" || err1 == nil && err2 == nil && after == before+1 {
		return false
	}
	b, _, err := s.list(ctx, rest.Call{Op: "history of " + old.ref.Type, Path: old.ref.Type + "/" + url.PathEscape(old.ref.ID) + "/_history", Query: url.Values{"_count": {"20"}}}, "history")
	if err != nil {
		return false // nobody can tell
	}
	between, begun := false, false
	for _, e := range b.entries { // newest first
		switch v := versionOf(e.resource); {
		case v == ours:
			begun = true
		case v == old.version:
			if between {
				s.unguarded(ctx, offers)
			}
			return between
		case begun:
			between = true
		}
	}
	return false
}

func versionOf(body []byte) string {
	var glance struct{ Meta struct{ VersionID string } }
	_ = json.Unmarshal(body, &glance) // a delete has no body, and no version to look for
	return glance.Meta.VersionID
}

// unguarded notes that the server was seen not to look at If-Match.
func (s *server) unguarded(ctx context.Context, offers *offer) {
	release, err := s.hold(ctx)
	if err != nil {
		return
	}
	defer release()
	knows := *offers
	knows.versions = claim[string]{guardNone, connectors.Probe}
	s.offer = &knows
}

// readBack looks whether what was written stands there under our identifier. The server's word that it took it is the
// receipt: a look that fails takes nothing from it, only one that contradicts it does.
func (s *server) readBack(ctx context.Context, d exchange.Delivery, receipt exchange.Receipt) (exchange.Receipt, error) {
	now, err := s.look(ctx, d, receipt.Ref)
	switch {
	case errors.Is(err, exchange.ErrNotFound), connectors.FaultOf(err) == connectors.Uncertain:
		return exchange.Receipt{}, err
	case err == nil && now.version != "":
		receipt.VersionID = now.version
	}
	return receipt, nil
}

// look reads the record at ref, which must be our copy. Its errors say that something was written.
func (s *server) look(ctx context.Context, d exchange.Delivery, ref fhir.Ref) (standing, error) {
	op := "read back " + d.Type
	answer, err := s.client.Do(ctx, rest.Call{Op: op, Path: ref.Type + "/" + url.PathEscape(ref.ID)})
	switch {
	case errors.Is(err, exchange.ErrNotFound):
		return standing{}, connectors.Errorf(op, connectors.Temporary, "the server has it and does not show it: %w", exchange.ErrNotFound)
	case err != nil:
		return standing{}, sending(err, false)
	}
	st, ok := ours(answer.Body, d)
	if !ok || st.theirs {
		e := connectors.Errorf(op, connectors.Uncertain, "it stands there without the hub's identifier")
		e.Hint = "the server drops identifiers that it does not know: ask the counterpart to keep those of " + d.Copy.System
		return standing{}, e
	}
	return st, nil
}

// standsAt reads where a record stands from the answer to a write: its address, its body, its ETag. Only the body's
// own words are kept as body.
func standsAt(typ string, answer rest.Answer) standing {
	var glance struct {
		ResourceType, ID string
		Meta             struct{ VersionID string }
	}
	var at standing
	if json.Unmarshal(answer.Body, &glance) == nil && glance.ResourceType == typ && glance.ID != "" {
		at.ref, at.version = fhir.Ref{Type: typ, ID: glance.ID}, glance.Meta.VersionID
	}
	parts := strings.Split(strings.Trim(answer.Location, "/"), "/")
	for i := range len(parts) - 1 { // the last, since a base path may hold a type's name too
		if parts[i] == typ {
			at.ref = fhir.Ref{Type: typ, ID: parts[i+1]}
		}
	}
	if tag := strings.Trim(strings.TrimPrefix(answer.ETag, "W/"), `"`); tag != "" {
		at.version = tag
	}
	return at
}

// sameContent compares what two bodies say, apart from what the server adds.
func sameContent(there, here []byte) bool {
	a, err1 := bare(there)
	b, err2 := bare(here)
	return err1 == nil && err2 == nil && string(a) == string(b)
}

func bare(body []byte) ([]byte, error) {
	body, err := fhir.Apply(body, fhir.Edit{Path: "id"}, fhir.Edit{Path: "meta"})
	if err != nil {
		return nil, err
	}
	return fhir.Canonical(body)
}

func twoCopies(op string) error {
	e := connectors.Errorf(op, connectors.Conflict, "two copies stand there")
	e.Hint = "have the counterpart remove one, then retry"
	return e
}

// sending sets on err whether this try may have written something.
func sending(err error, unsent bool) error {
	if e, ok := errors.AsType[*connectors.Error](err); ok {
		e.Unsent = unsent
	}
	return err
}
