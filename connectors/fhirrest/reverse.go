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

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/internal/rest"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// Looking the other way: who answers a referral often forgets to name the result in the Task, and some servers search a
// type neither by patient nor by what changed, but by what a record was made for.
//
//	a type's searches take           it is read
//	_lastUpdated                     by what changed
//	a patient                        client by client
//	neither, but one of links        client by client, for each referral and prescription of theirs that is known there
//	none of these, or it is missing  where a Task names it as its output, by itself
//
// What is found from its referral is only what names it. A withdrawal that names none would not be seen, so such a read is
// not complete, unless the operator wrote down that the counterpart names the referral in all (Dialect.NamesReferral).

// link is a search parameter that finds records of a type from what they were made for, and what that may be.
type link struct {
	parameter string
	to        []string
}

// links are the links of each type, by R4's own search parameters.
var links = map[string][]link{
	"Task":                     {{"focus", []string{order, prescription}}, {"based-on", []string{order}}},
	"Observation":              {{"based-on", []string{order}}, {"focus", []string{prescription}}},
	"DiagnosticReport":         {{"based-on", []string{order}}},
	"Appointment":              {{"based-on", []string{order}}},
	"Procedure":                {{"based-on", []string{order}}},
	"Encounter":                {{"based-on", []string{order}}},
	"MedicationDispense":       {{"prescription", []string{prescription}}},
	"MedicationAdministration": {{"request", []string{prescription}}},
}

// What records are made for.
const (
	order        = "ServiceRequest"
	prescription = "MedicationRequest"
)

// linked are the links to be used of each of types: of those that their statement says cannot be searched by patient. The
// operator's word that a patient is needed goes before it.
func (s *server) linked(types []string, listed map[string]stated) map[string][]link {
	all := map[string][]link{}
	for _, typ := range types {
		r := listed[typ]
		if len(r.SearchParam) == 0 || r.searches(byPatient[typ]) || s.dialect.PatientRequired || isDirectory(typ) {
			continue
		}
		for _, l := range links[typ] {
			if r.searches(l.parameter) {
				all[typ] = append(all[typ], l)
			}
		}
	}
	return all
}

// isLinked reports whether typ is found from what its records were made for.
func (o *offer) isLinked(typ string) bool { return len(o.links[typ]) > 0 }

// lookBack adds to page, which holds what else there is of a patient, what can be found from their referrals and
// prescriptions only, and what their Tasks name as their output. why says what kept it from being everything.
func (s *server) lookBack(ctx context.Context, offers *offer, page *exchange.Page, patient string, types []string) (why string, err error) {
	wanted := slices.DeleteFunc(slices.Clone(types), func(typ string) bool { return !offers.isLinked(typ) })
	if len(wanted) > 0 {
		if why, err = s.anchors(ctx, offers, page, patient, types); err != nil {
			return "", err
		}
	}
	look := func(is string, err error) error {
		why = cmp.Or(why, is)
		return err
	}
	if slices.Contains(wanted, "Task") { // first, for they name others
		if err := look(s.made(ctx, offers, page, patient, "Task")); err != nil {
			return "", err
		}
	}
	if err := look(s.outputs(ctx, offers, page, patient)); err != nil {
		return "", err
	}
	for _, typ := range wanted {
		if typ == "Task" {
			continue
		}
		if err := look(s.made(ctx, offers, page, patient, typ)); err != nil {
			return "", err
		}
	}
	return why, nil
}

// anchors adds the patient's referrals, prescriptions and Tasks to page, where they are not in it because they are read by
// what changed.
func (s *server) anchors(ctx context.Context, offers *offer, page *exchange.Page, patient string, types []string) (why string, err error) {
	for _, typ := range []string{order, prescription, "Task"} {
		if slices.Contains(types, typ) || !slices.Contains(offers.types, typ) || offers.isLinked(typ) {
			continue
		}
		switch is, err := s.ofPatient(ctx, offers, page, typ, patient); {
		case err == nil:
			why = cmp.Or(why, is)
		case !ownTrouble(err):
			return "", err
		case !s.dispensable(offers, typ, err):
			why = cmp.Or(why, coded(typ, err))
		}
	}
	return why, nil
}

// made adds to page the records of typ that were made for the referrals and prescriptions that it holds or names.
func (s *server) made(ctx context.Context, offers *offer, page *exchange.Page, patient, typ string) (why string, err error) {
	if !s.dialect.NamesReferral {
		why = typ + ": only what names its referral is found"
	}
	var known []fhir.Ref
	for _, r := range page.Resources {
		for _, ref := range append(fhir.References(r), r.Ref()) {
			if (ref.Type == order || ref.Type == prescription) && !slices.Contains(known, ref) {
				known = append(known, ref)
			}
		}
	}
	for _, l := range offers.links[typ] {
		for _, ref := range known {
			if !slices.Contains(l.to, ref.Type) {
				continue
			}
			query := url.Values{l.parameter: {ref.String()}, "_count": {strconv.Itoa(s.dialect.PageSize)}}
			var got exchange.Page
			is, err := s.found(ctx, &got, typ, patient, query)
			switch {
			case err != nil && !ownTrouble(err):
				return "", err
			case err != nil:
				is = coded(typ, err)
			case got.Unknowns > 0:
				is = typ + ": rows withheld"
			}
			why = cmp.Or(why, is)
			page.Resources = append(page.Resources, besides(page, got.Resources)...)
			page.Gone, page.Rejects, page.Unknowns = append(page.Gone, got.Gone...), append(page.Rejects, got.Rejects...), page.Unknowns+got.Unknowns
		}
	}
	return why, nil
}

// besides drops what page holds already: a record may name several of those it is found from.
func besides(page *exchange.Page, found []fhir.Resource) []fhir.Resource {
	return slices.DeleteFunc(found, func(r fhir.Resource) bool {
		return slices.ContainsFunc(page.Resources, func(known fhir.Resource) bool { return known.Ref() == r.Ref() })
	})
}

// mostOutputs is how many results one page of Tasks may name that are read one by one.
const mostOutputs = 100

// outputs adds to page what its Tasks name as their output and no search brings. patient is whose page it is; "" in a page of
// what changed, in which only types that no search reads at all are missing.
func (s *server) outputs(ctx context.Context, offers *offer, page *exchange.Page, patient string) (why string, err error) {
	read := 0
	for i := 0; i < len(page.Resources); i++ {
		task := page.Resources[i]
		whose, ok := fhir.SubjectAt(task, s.client.Base())
		if task.Type != "Task" || !ok || whose.IsZero() || patient != "" && whose.ID != patient {
			continue
		}
		for _, ref := range s.named(task) {
			if !s.reads(ref.Type) || offers.tells(ref.Type) || patient == "" && slices.Contains(offers.types, ref.Type) || holds(page, ref) {
				continue
			}
			if read++; read > mostOutputs {
				return "Task: too many outputs", nil
			}
			is, err := s.single(ctx, page, ref, whose.ID)
			if err != nil {
				return "", err
			}
			why = cmp.Or(why, is)
		}
	}
	return why, nil
}

// named are the records of the same server that a Task names as its output.
func (s *server) named(task fhir.Resource) (refs []fhir.Ref) {
	var t struct {
		Output []struct{ ValueReference struct{ Reference string } }
	}
	if !strings.Contains(string(task.Body), `"output"`) || json.Unmarshal(task.Body, &t) != nil {
		return nil
	}
	for _, o := range t.Output {
		if ref, ok := fhir.ParseRef(o.ValueReference.Reference, s.client.Base()); ok {
			refs = append(refs, ref)
		}
	}
	return refs
}

// reads reports whether the hub reads clients' records of typ here at all, be they offered or not.
func (s *server) reads(typ string) bool {
	return !isDirectory(typ) && typ != "Patient" && slices.Contains(s.role().types, typ) &&
		(s.dialect.Types == nil || slices.Contains(s.dialect.Types, typ))
}

func holds(page *exchange.Page, ref fhir.Ref) bool {
	return slices.Contains(page.Gone, ref) ||
		slices.ContainsFunc(page.Resources, func(r fhir.Resource) bool { return r.Ref() == ref }) ||
		slices.ContainsFunc(page.Rejects, func(r fhir.Reject) bool { return r.Type == ref.Type && r.Ref == ref.ID })
}

// single adds one record of a patient to page, through the gate. One that is nowhere says nothing: what the Task merely
// says of it decides nothing either.
func (s *server) single(ctx context.Context, page *exchange.Page, ref fhir.Ref, patient string) (why string, err error) {
	answer, err := s.client.Do(ctx, rest.Call{Op: "read " + ref.Type, Path: ref.Type + "/" + url.PathEscape(ref.ID)})
	switch {
	case err == nil:
	case rest.StatusOf(err) == http.StatusGone:
		page.Gone = append(page.Gone, ref)
		return "", nil
	case errors.Is(err, exchange.ErrNotFound):
		return "", nil
	case ownTrouble(err), connectors.FaultOf(err) == connectors.Garbled:
		return coded(ref.Type, err), nil
	default:
		return "", err
	}
	var got exchange.Page
	s.sort(&got, bundle{entries: []entry{{resource: answer.Body, match: true}}}, patient)
	got, stranger := s.onlyOf(patient, got)
	for _, r := range got.Resources {
		stranger = stranger || r.Ref() != ref
	}
	if stranger {
		return ref.Type + ": somebody else's record in the answer", nil
	}
	page.Resources = append(page.Resources, got.Resources...)
	page.Rejects = append(page.Rejects, got.Rejects...)
	return "", nil
}

// linked tells of the types that are found from what their records were made for.
func (r *reporter) linked(offers *offer) {
	for _, typ := range offers.types {
		if !offers.isLinked(typ) || offers.tells(typ) {
			continue
		}
		var by []string
		for _, l := range offers.links[typ] {
			by = append(by, l.parameter)
		}
		text := "is searched neither by patient nor by what changed, only by " + strings.Join(by, " and ")
		if r.dialect.NamesReferral {
			r.add("degrades", typ, "what names a referral or prescription that is known is read; that all do is agreed (dialect.names_referral)", "%s", text)
			continue
		}
		r.add("impossible", typ, "what names a referral or prescription that is known is read and shown, and no read is complete; once the counterpart agrees to name it in all, "+
			"withdrawals too, write names_referral: true under dialect", "%s", text)
	}
}
