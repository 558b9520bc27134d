package desk

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// Said is one thing that an entry says, in words.
type Said struct {
	Words string
	Open  bool // it tells of no dose, reading or event, and quotes nobody: whoever may see the client may read it
}

// Says returns what the slips of an entry say, in the order in which they say it: "cleared", "valid to 2 Mar 2026",
// "blood pressure 138/88". What it cannot read it leaves out. A correction says why it was made.
func Says(slips []exchange.Slip, zone *time.Location) (all []Said) {
	for _, s := range slips {
		for _, r := range s.Records {
			var b entered
			if json.Unmarshal(r.Body, &b) != nil {
				continue
			}
			b.zone, b.raw = zone, r
			switch {
			case s.Kind != KindUndo:
				all = append(all, b.says()...)
			case r.Type == "Provenance" && len(b.Reason) > 0 && b.Reason[0].Text != nil:
				return []Said{quoted("why: ", *b.Reason[0].Text)}
			}
		}
		if !s.ReadTo.IsZero() {
			all = append(all, open("read and entered up to "+s.ReadTo.In(zone).Format("Mon 2 Jan 2006 15:04")))
		}
	}
	return all
}

// entered is what the desk's records are made of, whichever they are.
type entered struct {
	ResourceType    string
	Status          string
	Code            *fhir.CodeableConcept
	Category        []fhir.CodeableConcept
	Severity        *fhir.CodeableConcept
	Event           *fhir.CodeableConcept
	Reason          []fhir.CodeableConcept
	StatusReason    []fhir.CodeableConcept
	Author          *fhir.Reference
	DateTime        string
	Start           string
	WhenPrepared    string
	Description     string
	ValueString     string
	ValueBoolean    *bool
	ValueQuantity   *fhir.Quantity
	Quantity        *fhir.Quantity
	Period          span
	PerformedPeriod span
	Provision       struct{ Period span }
	Component       []struct{ ValueQuantity *fhir.Quantity }
	Note            []struct{ Text string }
	Dosage          []struct{ Text string } `json:"dosageInstruction"`
	Contained       []struct {
		Batch struct{ ExpirationDate string }
	}

	zone *time.Location
	raw  fhir.Resource
}

type span struct{ Start, End string }

func open(words string) Said { return Said{Words: words, Open: true} }

func quoted(before, text string) Said { return Said{Words: before + "“" + text + "”"} }

func (b *entered) says() []Said {
	switch b.ResourceType {
	case "Observation":
		return b.observed()
	case "Flag":
		return b.stop()
	case "Consent":
		return b.paper()
	case "ServiceRequest":
		return []Said{open("referred")}
	case "Appointment":
		return []Said{open("follow-up on " + b.on(b.Start))}
	case "Encounter":
		return []Said{open("seen in person")}
	case "Task":
		return []Said{open(map[bool]string{true: "met", false: "open"}[b.Status == "completed"]), quoted("condition: ", b.Description)}
	case "Procedure":
		held := ", held"
		if b.Status == "not-done" {
			held = ", not held"
		}
		return []Said{open(coded(b.Code) + " session of " + b.on(b.PerformedPeriod.Start) + held)}
	case "MedicationAdministration":
		if len(b.StatusReason) > 0 {
			return []Said{{Words: "dose not taken as directed"}}
		}
		return []Said{{Words: "dose taken as directed"}}
	case "AdverseEvent":
		said := []Said{{Words: "effects: " + map[string]string{fhir.CodeExpected: "expected, and settled", fhir.CodeAskPrescriber: "ask the prescriber", fhir.CodeSerious: "serious"}[coded(b.Severity)]}}
		if b.Event != nil && b.Event.Text != nil {
			said = append(said, quoted("", *b.Event.Text))
		}
		return said
	case "MedicationRequest":
		return b.directions(nil)
	case "MedicationDispense":
		return b.filled()
	}
	return nil
}

func (b *entered) observed() []Said {
	yes := func() string {
		if b.ValueBoolean != nil && *b.ValueBoolean {
			return "yes"
		}
		return "no"
	}
	switch code := coded(b.Code); code {
	case fhir.CodeClearance:
		shown, err := Shown(b.raw)
		if err != nil {
			return nil
		}
		var said []Said
		for part := range strings.SplitSeq(shown, "; ") {
			if day, ok := strings.CutPrefix(part, "valid to "); ok {
				part = "valid to " + b.on(day)
			}
			said = append(said, Said{part, !strings.HasPrefix(part, "condition: ")})
		}
		return said
	case fhir.LOINCBloodPressure:
		if len(b.Component) == 2 {
			return []Said{{Words: "blood pressure " + amount(b.Component[0].ValueQuantity) + "/" + amount(b.Component[1].ValueQuantity)}}
		}
	case fhir.LOINCHeartRate:
		return []Said{{Words: "heart rate " + amount(b.ValueQuantity)}}
	case fhir.CodeRide:
		return []Said{open("ride home: " + yes())}
	case fhir.CodeFasting:
		return []Said{open("fasting: " + yes())}
	case fhir.CodeLocation:
		return []Said{open("location as planned: " + yes())}
	case fhir.CodeNewInformation:
		said := []Said{{Words: "anything new: " + yes()}}
		for _, n := range b.Note {
			said = append(said, quoted("", n.Text))
		}
		return said
	case fhir.CodeGoAhead:
		return []Said{open("go-ahead: " + yes())}
	case fhir.CodeAcknowledged:
		return []Said{open("directions acknowledged")}
	case fhir.CodeAmountLeft:
		return []Said{{Words: "left for " + amount(b.ValueQuantity) + " sessions"}}
	case fhir.CodeBeganWhy:
		return []Said{quoted("why: ", b.ValueString)}
	}
	return nil
}

func (b *entered) stop() []Said {
	if b.Status != "active" {
		return []Said{open("the stop is over since " + b.at(b.Period.End))}
	}
	said := []Said{open("hold, from " + b.at(b.Period.Start))}
	if b.Author != nil && b.Author.Display != nil {
		said = append(said, open("said by "+*b.Author.Display))
	}
	if b.Code != nil && b.Code.Text != nil {
		said = append(said, quoted("", *b.Code.Text))
	}
	return said
}

func (b *entered) paper() []Said {
	what, holds := "consent to treatment", ""
	if len(b.Category) > 0 && coded(&b.Category[0]) == "IDSCL" {
		what, holds = "release", ", without end"
		if b.Provision.Period.End != "" {
			holds = ", to " + b.on(b.Provision.Period.End)
		}
	}
	if b.Status != "active" {
		return []Said{open(what + " withdrawn " + b.on(b.DateTime))}
	}
	return []Said{open(what + " signed " + b.on(b.DateTime) + holds)}
}

func (b *entered) filled() []Said {
	said := []Said{open("filled " + b.on(b.WhenPrepared))}
	if b.Status == "on-hold" {
		return append(said, open("the label bears another name"))
	}
	if len(b.Contained) > 0 && b.Contained[0].Batch.ExpirationDate != "" {
		said = append(said, open("discard after "+b.on(b.Contained[0].Batch.ExpirationDate)))
	}
	if b.Quantity != nil {
		said = append(said, Said{Words: "enough for " + amount(b.Quantity) + " sessions"})
	}
	return b.directions(said)
}

func (b *entered) directions(said []Said) []Said {
	for _, d := range b.Dosage {
		said = append(said, quoted("directions: ", d.Text))
	}
	return said
}

// on is a day as one reads it; what is none is returned as it stands.
func (b *entered) on(day string) string {
	if t, err := time.Parse(time.RFC3339, day); err == nil {
		return t.In(b.zone).Format("Mon 2 Jan 2006")
	}
	if t, err := time.Parse(time.DateOnly, day); err == nil {
		return t.Format("Mon 2 Jan 2006")
	}
	return day
}

// at is an instant as one reads it.
func (b *entered) at(instant string) string {
	if t, err := time.Parse(time.RFC3339, instant); err == nil {
		return t.In(b.zone).Format("Mon 2 Jan 2006 15:04")
	}
	return instant
}

// amount is a number without its unit.
func amount(q *fhir.Quantity) string {
	if q == nil || q.Value == nil {
		return "?"
	}
	v, err := strconv.ParseFloat(q.Value.String(), 64)
	if err != nil {
		return "?"
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}
