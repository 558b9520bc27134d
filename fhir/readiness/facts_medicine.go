package readiness

import (
	"cmp"
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// prescription is a MedicationRequest of the prescriber that is, or may be, ketamine.
type prescription struct {
	record[fhir.MedicationRequest]
	ketamine answer // yes or cannotTell
	order    bool   // it asks for something to be done: no proposal, no plan, no "do not"
	status   string
	authored time.Time
}

// dispense is a MedicationDispense of ketamine.
type dispense struct {
	record[fhir.MedicationDispense]
	status  string
	when    time.Time // handed over, else prepared
	filled  time.Time // prepared, else handed over
	handed  time.Time // zero: not handed over
	expires time.Time // first instant at which the medicine is out of date; zero: not on file
}

// medicines finds prescriptions, dispenses and held prescriptions.
func (f *facts) medicines() {
	for _, r := range records(f.chart.MedicationRequests, f.look) {
		if practices(r.Version) || copied(r.Value.Identifier) {
			continue
		}
		is := f.ketamine(medicine{r.Source, r.Party, r.Value.MedicationCodeableConcept, r.Value.MedicationReference, r.Value.Contained})
		if is == no {
			continue
		}
		p := prescription{record: r, ketamine: is, status: r.Value.Status, authored: f.instant(r.Recorded(), r.Value.AuthoredOn)}
		switch r.Value.Intent {
		case "order", "original-order", "reflex-order", "filler-order", "instance-order":
			p.order = r.Value.DoNotPerform == nil || !*r.Value.DoNotPerform
		}
		if f.ours(r.Version) {
			f.prescriptions = append(f.prescriptions, p)
		} else if is == yes && p.order && p.status == "active" && p.live() {
			f.strange = append(f.strange, p)
		}
		f.held(p)
	}
	slices.SortStableFunc(f.prescriptions, func(a, b prescription) int {
		return cmp.Or(a.authored.Compare(b.authored), older(a.Version, b.Version))
	})
	slices.SortFunc(f.strange, func(a, b prescription) int {
		return cmp.Or(a.authored.Compare(b.authored), cmp.Compare(a.Source, b.Source), cmp.Compare(a.ID, b.ID))
	})
	for _, r := range records(f.chart.MedicationDispenses, f.look) {
		if copied(r.Value.Identifier) || !f.ours(r.Version) && !practices(r.Version) {
			continue
		}
		m := medicine{r.Source, r.Party, r.Value.MedicationCodeableConcept, r.Value.MedicationReference, r.Value.Contained}
		if is := f.ketamine(m); is == no || is == cannotTell && f.authorises(r) == nil {
			if is == cannotTell && r.live() && r.Value.Status == "completed" {
				f.unreadFill = r.Version
			}
			continue
		}
		d := dispense{record: r, status: r.Value.Status}
		d.when = f.instant(r.Recorded(), r.Value.WhenHandedOver, r.Value.WhenPrepared)
		d.filled = f.instant(r.Recorded(), r.Value.WhenPrepared, r.Value.WhenHandedOver)
		if at, _, ok := f.when(r.Value.WhenHandedOver); ok {
			d.handed = at
		}
		d.expires = f.discarded(r.Value, f.medication(m))
		f.dispenses = append(f.dispenses, d)
	}
	slices.SortStableFunc(f.dispenses, func(a, b dispense) int {
		return cmp.Or(a.when.Compare(b.when), cmp.Compare(a.Source, b.Source), cmp.Compare(a.ID, b.ID))
	})
}

// discarded returns the first instant at which what was dispensed is out of date, by the batch of its medicine or by what
// the dispense itself says; the earlier, where both do. Zero when neither does.
func (f *facts) discarded(d *fhir.MedicationDispense, m *fhir.Medication) (first time.Time) {
	note := func(day *string) {
		if _, end, ok := f.when(day); ok && (first.IsZero() || end.Before(first)) {
			first = end
		}
	}
	if m != nil && m.Batch != nil {
		note(m.Batch.ExpirationDate)
	}
	for i := range d.Extension {
		if x := &d.Extension[i]; x.Url == fhir.ExtensionDiscardAfter {
			note(x.ValueDate)
			note(x.ValueDateTime)
		}
	}
	return first
}

// mislabelled returns the practice's newest label check where the label bore another name than the client's, or other
// directions than were on file and nothing of the prescriber's since, and what it bore; nil when it bore neither.
func (f *facts) mislabelled() (check *dispense, bore string) {
	for i := range f.dispenses {
		if d := &f.dispenses[i]; practices(d.Version) && d.live() && d.status != "entered-in-error" && (check == nil || !d.Recorded().Before(check.Recorded())) {
			check = d
		}
	}
	switch {
	case check == nil:
		return nil, ""
	case check.Value.StatusReasonCodeableConcept != nil && holds(check.Value.StatusReasonCodeableConcept, fhir.Code{System: fhir.SystemKAP, Code: fhir.CodeOtherName}):
		return check, "another name than the client's"
	case len(check.Value.DosageInstruction) > 0 && !f.represcribed(check.Recorded()):
		if rx := f.prescribed(); rx == nil || fhir.DosageDigest(rx.Resource) != fhir.DosageDigest(check.Resource) {
			return check, "other directions than " + f.prescriber() + " prescribed"
		}
	}
	return nil, ""
}

// misread says of a label check what the label bore, and what to do.
func (f *facts) misread(check *dispense, bore string) (words, next string) {
	return "The label read on " + f.on(check.Recorded()) + " bears " + bore, "call " + f.prescriber() + f.phones() + " and the pharmacy before any of it is taken"
}

// prescribed returns the prescription that is in force: the newest active order of ketamine, else the newest completed
// one (all of it was dispensed). What is older than one that was stopped, or whose state is unknown, is not in force,
// however open its record was left. nil when there is none.
func (f *facts) prescribed() *prescription {
	var completed *prescription
	for i := range slices.Backward(f.prescriptions) {
		p := &f.prescriptions[i]
		if !p.order || p.ketamine != yes {
			continue
		}
		switch p.status {
		case "active":
			if p.live() {
				return p
			}
		case "completed":
			if completed == nil && p.live() {
				completed = p
			}
		case "stopped", "cancelled", "unknown":
			return completed
		}
	}
	return completed
}

// authorises returns the prescription of ketamine on file that a dispense names, nil when it names none.
func (f *facts) authorises(r record[fhir.MedicationDispense]) *prescription {
	for i := range f.prescriptions {
		if p := &f.prescriptions[i]; p.ketamine == yes && anyPoints(r.Value.AuthorizingPrescription, r.Source, p.Version, p.Value.Identifier) {
			return p
		}
	}
	return nil
}

// fills reports whether d was dispensed on p. With one prescription on file a dispense that names none is of that one.
func (f *facts) fills(d *dispense, p *prescription) bool {
	if len(d.Value.AuthorizingPrescription) == 0 {
		return len(f.prescriptions) == 1
	}
	return anyPoints(d.Value.AuthorizingPrescription, d.Source, p.Version, p.Value.Identifier)
}

// Prescribed returns the prescription of this prescriber that is in force, nil when there is none on file.
func Prescribed(chart fhir.Chart, policy Policy, now time.Time) *fhir.Version {
	f := gather(&chart, &policy, &clock{now: now}, nil)
	if p := f.prescribed(); p != nil {
		return p.Version
	}
	return nil
}
