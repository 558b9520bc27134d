package fhir

import "slices"

// Seen is one version together with its reading.
type Seen[T any] struct {
	*Version
	Value  *T   // nil when Gone
	Latest bool // no newer version of the record is known
}

// Chart is all that the hub knew of one client at one moment: every version of every linked record, oldest first,
// read once so that decisions need not. A chart is a value: nothing changes it after NewChart.
type Chart struct {
	Client  string
	Moment  Moment
	Links   []Link
	Sources []SourceState
	Rejects []Reject   // open ones that belong to this client
	Sealed  []Sealed   // what arrived out of scope and nobody has looked at yet
	Unread  []*Version // stored versions that could not be read through their view

	HandedOver  []HandedOver  // packets, in the order in which they were staged
	Outstanding []Outstanding // what should stand at another party and as far as the hub knows does not, in the order in which it was staged

	Began []Began // sessions that began while somebody judged, by their start

	Patients                  []Seen[Patient]
	Consents                  []Seen[Consent]
	ServiceRequests           []Seen[ServiceRequest]
	Tasks                     []Seen[Task]
	Appointments              []Seen[Appointment]
	Observations              []Seen[Observation]
	MedicationRequests        []Seen[MedicationRequest]
	MedicationDispenses       []Seen[MedicationDispense]
	MedicationAdministrations []Seen[MedicationAdministration]
	Procedures                []Seen[Procedure]
	Encounters                []Seen[Encounter]
	Flags                     []Seen[Flag]
	CarePlans                 []Seen[CarePlan]
	Goals                     []Seen[Goal]
	Conditions                []Seen[Condition]           // of the watch list only
	MedicationStatements      []Seen[MedicationStatement] // of the watch list only
	AdverseEvents             []Seen[AdverseEvent]
	DiagnosticReports         []Seen[DiagnosticReport]
	DocumentReferences        []Seen[DocumentReference]

	Provenances []Seen[Provenance] // who entered what, where that is told

	// The directory: not the client's records, but who stands behind them.
	Practitioners     []Seen[Practitioner]
	PractitionerRoles []Seen[PractitionerRole]
	Organizations     []Seen[Organization]
	Medications       []Seen[Medication]
}

// NewChart reads versions, which must be ordered by Moment, into a chart.
// A version whose type has no view here is kept out; one that cannot be read through its view is listed in Unread.
func NewChart(client string, moment Moment, versions []Version, links []Link, sources []SourceState, rejects []Reject) Chart {
	c := Chart{Client: client, Moment: moment, Links: links, Sources: sources, Rejects: rejects}
	newest := make(map[Key]int, len(versions))
	for i := range versions {
		newest[versions[i].Key] = i
	}
	var inside results
	for i := range versions {
		v := &versions[i]
		last := newest[v.Key] == i
		switch v.Type {
		case "Patient":
			see(&c, &c.Patients, v, last)
		case "Consent":
			see(&c, &c.Consents, v, last)
		case "ServiceRequest":
			see(&c, &c.ServiceRequests, v, last)
		case "Task":
			see(&c, &c.Tasks, v, last)
			inside.see(v)
		case "Appointment":
			see(&c, &c.Appointments, v, last)
		case "Observation":
			see(&c, &c.Observations, v, last)
		case "MedicationRequest":
			see(&c, &c.MedicationRequests, v, last)
		case "MedicationDispense":
			see(&c, &c.MedicationDispenses, v, last)
		case "MedicationAdministration":
			see(&c, &c.MedicationAdministrations, v, last)
		case "Procedure":
			see(&c, &c.Procedures, v, last)
		case "Encounter":
			see(&c, &c.Encounters, v, last)
		case "Flag":
			see(&c, &c.Flags, v, last)
		case "CarePlan":
			see(&c, &c.CarePlans, v, last)
		case "Goal":
			see(&c, &c.Goals, v, last)
		case "Condition":
			see(&c, &c.Conditions, v, last)
		case "MedicationStatement":
			see(&c, &c.MedicationStatements, v, last)
		case "AdverseEvent":
			see(&c, &c.AdverseEvents, v, last)
		case "Provenance":
			see(&c, &c.Provenances, v, last)
		case "DiagnosticReport":
			see(&c, &c.DiagnosticReports, v, last)
		case "DocumentReference":
			see(&c, &c.DocumentReferences, v, last)
		case "Practitioner":
			see(&c, &c.Practitioners, v, last)
		case "PractitionerRole":
			see(&c, &c.PractitionerRoles, v, last)
		case "Organization":
			see(&c, &c.Organizations, v, last)
		case "Medication":
			see(&c, &c.Medications, v, last)
		}
	}
	inside.into(&c)
	return c
}

func see[T any](c *Chart, list *[]Seen[T], v *Version, last bool) {
	if v.Gone {
		*list = append(*list, Seen[T]{Version: v, Latest: last})
		return
	}
	value, err := Read[T](v.Resource)
	if err != nil {
		if last {
			c.Unread = append(c.Unread, v)
		}
		return
	}
	*list = append(*list, Seen[T]{Version: v, Value: &value, Latest: last})
}

// Now returns the versions in list that are the latest of their record and still there.
func Now[T any](list []Seen[T]) []Seen[T] {
	out := make([]Seen[T], 0, len(list))
	for _, s := range list {
		if s.Latest && !s.Gone {
			out = append(out, s)
		}
	}
	return out
}

// Of returns the entries of list that party told.
func Of[T any](party string, list []Seen[T]) []Seen[T] {
	return slices.DeleteFunc(slices.Clone(list), func(s Seen[T]) bool { return s.Party != party })
}

// Source returns the state of the named source, and whether it was ever read.
func (c *Chart) Source(name string) (SourceState, bool) {
	for _, s := range c.Sources {
		if s.Name == name {
			return s, true
		}
	}
	return SourceState{Name: name}, false
}
