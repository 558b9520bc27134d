package fhirrest

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/internal/rest"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// readMember is the page of one member, whom p has just been moved behind: everything the server has of them of these
// types, to the beginning. Only a page that surely holds everything names them as Swept, for what a swept page does not
// hold counts as gone.
func (s *server) readMember(ctx context.Context, offers *offer, p position, patient string, types []string) (exchange.Page, error) {
	page, why, err := s.member(ctx, offers, patient, types)
	if err != nil {
		return exchange.Page{}, err
	}
	switch {
	case why != "":
		p.fault(why)
	case len(types) == len(offers.clinical()):
		page.Swept = []string{patient}
	}
	page.Next, page.More = p.paged(s.now()), true
	return page, nil
}

// member reads types of one patient. why says what kept it from being everything.
func (s *server) member(ctx context.Context, offers *offer, patient string, types []string) (page exchange.Page, why string, err error) {
	for _, typ := range types {
		if offers.isLinked(typ) {
			continue
		}
		held := page.Unknowns
		is, err := s.ofPatient(ctx, offers, &page, typ, patient)
		switch {
		case err == nil && page.Unknowns > held:
			why = cmp.Or(why, typ+": rows withheld")
		case err == nil:
			why = cmp.Or(why, is)
		case !ownTrouble(err):
			return exchange.Page{}, "", err
		case !s.dispensable(offers, typ, err):
			why = cmp.Or(why, coded(typ, err))
		}
	}
	is, err := s.lookBack(ctx, offers, &page, patient, types)
	if err != nil {
		return exchange.Page{}, "", err
	}
	why = cmp.Or(why, is)
	if offers.names() {
		if err := s.directory(ctx, offers, &page); err != nil {
			return exchange.Page{}, "", err
		}
	}
	return page, why, nil
}

// ofPatient reads everything there is of typ of a patient.
func (s *server) ofPatient(ctx context.Context, offers *offer, page *exchange.Page, typ, patient string) (why string, err error) {
	value := patient
	if byPatient[typ] != "_id" {
		value = "Patient/" + patient
	}
	return s.found(ctx, page, typ, patient, offers.byCode(url.Values{byPatient[typ]: {value}, "_count": {strconv.Itoa(s.dialect.PageSize)}}, typ))
}

// found reads all pages of one search for records of a patient. Rows may move between pages while it is read (see follow), and what slipped
// through would count as gone: when more than one page do not add up to the total, they are read once more.
func (s *server) found(ctx context.Context, page *exchange.Page, typ, patient string, query url.Values) (why string, err error) {
	var got exchange.Page
	for range 2 {
		if got, why, err = s.foundOnce(ctx, typ, patient, query); err != nil || why == "" {
			break
		}
	}
	page.Resources = append(page.Resources, got.Resources...)
	page.Gone = append(page.Gone, got.Gone...)
	page.Rejects = append(page.Rejects, got.Rejects...)
	page.Unknowns += got.Unknowns
	return why, err
}

func (s *server) foundOnce(ctx context.Context, typ, patient string, query url.Values) (got exchange.Page, why string, err error) {
	call := rest.Call{Op: "search " + typ, Path: typ, Query: query}
	w := walk{Type: typ}
	seen := map[string]bool{}
	for {
		b, _, err := s.search(ctx, call)
		if err != nil {
			return got, "", err
		}
		s.sort(&got, b, patient)
		for _, e := range b.entries {
			if e.match && !e.outcome {
				seen[identity(e)] = true
			}
		}
		done, loop := w.follow(b, false)
		if loop || w.Pages >= s.dialect.MaxPages && !done {
			return got, "", pagingLoop(call.Op)
		}
		if done {
			short := b.total > len(seen)+got.Unknowns
			if short {
				if short, err = s.cutShort(ctx, typ, query, len(seen)+got.Unknowns); err != nil {
					return got, "", err
				}
			}
			if short {
				why = typ + ": pages do not add up to their total"
			}
			got, stranger := s.onlyOf(patient, got)
			if stranger {
				why = typ + ": somebody else's record in the answer"
			}
			return got, why, nil
		}
		call = rest.Call{Op: call.Op, Link: w.Link}
	}
}

// onlyOf drops from what a search for one patient brought whatever is surely another patient's: it was not asked for, is
// not stored, and a server that mixes patients up has not answered. What came along and is nobody's stays, and so does
// what the store has to judge: a record whose patient cannot be told.
func (s *server) onlyOf(patient string, got exchange.Page) (exchange.Page, bool) {
	all := len(got.Resources)
	got.Resources = slices.DeleteFunc(got.Resources, func(r fhir.Resource) bool {
		whose, ok := fhir.SubjectAt(r, s.client.Base())
		return ok && !whose.IsZero() && whose.ID != patient
	})
	rejects := len(got.Rejects)
	got.Rejects = slices.DeleteFunc(got.Rejects, func(r fhir.Reject) bool {
		return r.Subject.Type == "Patient" && r.Subject.ID != patient
	})
	return got, len(got.Resources) < all || len(got.Rejects) < rejects
}

// directory reads whom the page's resources name, where no search tells it: the practitioners and organisations behind them, and what those name
// in turn. A directory read whole would be the counterpart's staff list.
func (s *server) directory(ctx context.Context, offers *offer, page *exchange.Page) error {
	asked := map[fhir.Ref]bool{}
	for i := 0; i < len(page.Resources); i++ {
		for _, ref := range fhir.References(page.Resources[i]) {
			if asked[ref] || !isDirectory(ref.Type) || offers.tells(ref.Type) || !slices.Contains(offers.types, ref.Type) {
				continue
			}
			asked[ref] = true
			r, err := s.Read(ctx, ref)
			switch {
			case err == nil:
				page.Resources = append(page.Resources, r)
			case ownTrouble(err), connectors.FaultOf(err) == connectors.Garbled: // the one who names it stands; who is named is unknown
			default:
				return err
			}
		}
	}
	return nil
}

// Read reads one resource as it stands now; exchange.ErrNotFound if it is gone.
func (s *server) Read(ctx context.Context, ref fhir.Ref) (fhir.Resource, error) {
	op := "read " + ref.Type
	answer, err := s.client.Do(ctx, rest.Call{Op: op, Path: ref.Type + "/" + url.PathEscape(ref.ID)})
	if err != nil {
		return fhir.Resource{}, err
	}
	r, err := fhir.Parse(answer.Body, ref.Type)
	if err != nil {
		e := connectors.Errorf(op, connectors.Garbled, "%w", err)
		e.Unsent = true
		return fhir.Resource{}, e
	}
	return r, nil
}
