// Package fhirtest builds charts for tests only: one invented client of one practice with one prescriber, told as the
// versions that the two sources would have told.
package fhirtest

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// The world every course happens in.
const (
	PracticeSource   = "ehr"
	Prescriber       = "skylight" // the party
	PrescriberSource = "skylight"
)

// Who is who in it.
var (
	PrescriberNPI = fhir.ID{System: fhir.SystemNPI, Value: "1234567893"} // the prescriber's organization
	DeciderNPI    = fhir.ID{System: fhir.SystemNPI, Value: "1245319599"} // the clinician who clears and prescribes
	TherapistNPI  = fhir.ID{System: fhir.SystemNPI, Value: "1679576722"}
	Known         = fhir.Known{Name: Prescriber, Identifiers: []fhir.ID{PrescriberNPI}}
)

// Denver is the practice's zone.
var Denver = func() *time.Location {
	zone, err := time.LoadLocation("America/Denver")
	if err != nil {
		panic("fhirtest: the time zone database is needed: " + err.Error())
	}
	return zone
}()

// Course is one client's course of treatment. Each method makes the version that the fact's owner would tell; called
// again it makes the record's next version. Edits change the resource before it is told (fhir.Edit; a new "id" makes
// another record). What is told is recorded and received at At.
type Course struct {
	Client  string    // the hub's key
	Patient string    // id at the practice; the prescriber has "s-" before it
	Session time.Time // the dosing session's start
	Now     time.Time // when the chart is looked at
	At      time.Time // when the next version is recorded and received

	moment fhir.Moment
	count  map[fhir.Key]int64
}

// Client returns the course of a client whose dosing session is two hours after now.
func Client(now time.Time) *Course { return Nth(1, now) }

// Nth is Client for tests that need several: the n-th client shares no id with another.
func Nth(n int, now time.Time) *Course {
	return &Course{
		Client:  "client-" + strconv.Itoa(n),
		Patient: "p" + strconv.Itoa(n),
		Session: now.Add(2 * time.Hour).Truncate(time.Minute),
		Now:     now, At: now,
		count: map[fhir.Key]int64{},
	}
}

// On sets At, so that a course can be told in one expression.
func (c *Course) On(at time.Time) *Course {
	c.At = at
	return c
}

// DaysBefore sets At to that many days before Now.
func (c *Course) DaysBefore(days int) *Course { return c.On(c.Now.AddDate(0, 0, -days)) }

// Day returns the date that many days from Now, in the practice's zone, as FHIR writes it.
func (c *Course) Day(days int) string {
	return c.Now.In(Denver).AddDate(0, 0, days).Format(time.DateOnly)
}

// Set is an edit that gives an element a value; nil removes it.
func Set(path string, value any) fhir.Edit { return fhir.Edit{Path: path, Value: value} }

// InOrder tells everything up to the session's day: the verdict is IN-ORDER at Now.
func (c *Course) InOrder() []fhir.Version {
	vs := []fhir.Version{
		c.DaysBefore(60).PatientHere(), c.Release(), c.TreatmentConsent(), c.Referral(),
		c.DaysBefore(59).PatientThere(), c.Task("requested"),
		c.DaysBefore(58).Task("accepted"),
		c.DaysBefore(50).Evaluation(),
		c.Clearance(fhir.DecisionCleared, c.Day(-50), c.Day(40)),
		c.DaysBefore(49).Task("completed"), c.Prescription(),
		c.DaysBefore(30).Dispense(),
		c.DaysBefore(20).Preparation(c.Now.AddDate(0, 0, -20)),
		c.DaysBefore(10).Dosing(c.Session),
	}
	return append(vs, c.DaysBefore(5).Acknowledged(vs[10]))
}

// Blameless tells everything: the verdict is READY at Now.
func (c *Course) Blameless() []fhir.Version {
	vs := c.InOrder()
	vs = append(vs, c.On(c.Now.Add(-30*time.Minute)).Arrival()...)
	return append(vs, c.On(c.Now.Add(-10*time.Minute)).GoAhead())
}

// Chart reads versions into the client's chart, ordered by moment, with both patients linked and both sources read
// completely at Now.
func (c *Course) Chart(versions ...fhir.Version) fhir.Chart {
	versions = slices.Clone(versions)
	slices.SortStableFunc(versions, func(a, b fhir.Version) int { return int(a.Moment - b.Moment) })
	return fhir.NewChart(c.Client, c.moment, versions, c.Links(), Sources(c.Now), nil)
}

// Links are the client's patients at both sources.
func (c *Course) Links() []fhir.Link {
	since := c.Now.AddDate(0, 0, -60)
	return []fhir.Link{
		{Client: c.Client, Source: PracticeSource, Patient: c.Patient, How: "enrolled", Moment: 1, ReadBack: true, Since: since},
		{Client: c.Client, Source: PrescriberSource, Patient: c.there(), How: "identifier", Moment: 1, ReadBack: true, Since: since},
	}
}

// Sources are both sources, read completely at now.
func Sources(now time.Time) []fhir.SourceState {
	return []fhir.SourceState{
		{Name: PracticeSource, Party: fhir.Practice, LastComplete: now, LastTried: now, Complete: true},
		{Name: PrescriberSource, Party: Prescriber, LastComplete: now, LastTried: now, Complete: true},
	}
}

// Without returns versions less those of the named types.
func Without(versions []fhir.Version, types ...string) []fhir.Version {
	return slices.DeleteFunc(slices.Clone(versions), func(v fhir.Version) bool { return slices.Contains(types, v.Type) })
}

// WithoutRecord returns versions less those of one record, by type and id.
func WithoutRecord(versions []fhir.Version, kind, id string) []fhir.Version {
	return slices.DeleteFunc(slices.Clone(versions), func(v fhir.Version) bool { return v.Type == kind && v.ID == id })
}

// Gone tells that v's source no longer has the record.
func (c *Course) Gone(v fhir.Version, why string) fhir.Version {
	c.moment++
	c.count[v.Key]++
	return fhir.Version{Key: v.Key, Party: v.Party, N: c.count[v.Key], Moment: c.moment, Received: c.At, Gone: true, Why: why}
}

// Told makes a version of any resource, given as JSON without meta, as source and party would tell it.
func (c *Course) Told(source, party, body string, edits ...fhir.Edit) fhir.Version {
	raw, err := fhir.Apply([]byte(body), edits...)
	if err != nil {
		panic("fhirtest: " + err.Error())
	}
	first, err := fhir.Parse(raw, "")
	if err != nil {
		panic("fhirtest: " + err.Error())
	}
	key := fhir.Key{Source: source, Type: first.Type, ID: first.ID}
	n := c.count[key] + 1
	raw, err = fhir.Apply(raw,
		Set("meta.versionId", strconv.FormatInt(n, 10)),
		Set("meta.lastUpdated", c.At.UTC().Format(time.RFC3339Nano)))
	if err != nil {
		panic("fhirtest: " + err.Error())
	}
	r, err := fhir.Parse(raw, first.Type)
	if err != nil {
		panic("fhirtest: " + err.Error())
	}
	c.moment++
	c.count[key] = n
	return fhir.Version{Key: key, Party: party, N: n, Moment: c.moment, Received: c.At, Resource: r}
}

// here makes a version that the practice tells; body is the resource without resourceType.
func (c *Course) here(kind, id string, edits []fhir.Edit, body string, args ...any) fhir.Version {
	return c.Told(PracticeSource, fhir.Practice, resource(kind, id, body, args), edits...)
}

// fromThere makes a version that the prescriber tells.
func (c *Course) fromThere(kind, id string, edits []fhir.Edit, body string, args ...any) fhir.Version {
	return c.Told(PrescriberSource, Prescriber, resource(kind, id, body, args), edits...)
}

func resource(kind, id, body string, args []any) string {
	return fmt.Sprintf(`{"resourceType":%q,"id":%q,`, kind, id) + fmt.Sprintf(body, args...) + "}"
}

func (c *Course) there() string { return "s-" + c.Patient }

// id names a record of this client.
func (c *Course) id(name string) string { return name + "-" + c.Patient }

func stamp(at time.Time) string { return at.In(Denver).Format(time.RFC3339) }
