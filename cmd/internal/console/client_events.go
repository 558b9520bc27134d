package console

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/jobs/report"
)

// event is one thing that was received, sent or told.
type event struct {
	At    time.Time
	Way   string // "in", "out", "told"
	Sign  string
	Head  string // "Received from Skylight: Decision"
	Story string // what became of it, who entered it
	Says  []report.Said
	Apart bool // it says more than the visitor sees
	Name  string
}

// events are everything that was received and sent, newest first.
func (v *visit) events(d Dossier, records *report.Records) []event {
	var all []event
	for _, x := range records.All() {
		r := v.recordRow(records.Word(x), false)
		e := event{At: r.Received, Way: "in", Sign: "←", Says: r.Says, Apart: r.Apart, Name: r.Name + " version " + strconv.FormatInt(r.Basis.Version, 10)}
		switch {
		case r.Gone:
			e.Head = "Gone at " + r.Title + ": " + r.Kind
			e.Story = "Its source has it no more (" + r.Why + ")"
		case r.By != "":
			e.Head, e.Story = "Entered for "+r.Title+": "+r.Kind, entered(r.Record)
		case r.Basis.Version > 1:
			e.Head = "Changed at " + r.Title + ": " + r.Kind
		default:
			e.Head = "Received from " + r.Title + ": " + r.Kind
		}
		all = append(all, e)
	}
	for _, s := range d.Sent {
		if len(s.Steps) == 0 {
			continue
		}
		x := report.NewDispatch(s, v.Zone, d.View.AsOf)
		e := event{At: s.Steps[len(s.Steps)-1].At, Way: "out", Sign: "→", Story: x.Story, Name: "delivery " + s.ID[:min(12, len(s.ID))]}
		e.Head = "For " + cmp.Or(d.View.Titles[s.To], s.To) + ": " + cmp.Or(whats[s.What], string(s.What))
		all = append(all, e)
	}
	for _, t := range d.Told {
		if t.Corrected {
			continue
		}
		e := event{At: t.At, Way: "told", Sign: "→", Head: "Told " + cmp.Or(t.Recipient, d.View.Titles[t.Party], t.Party) + ": " + t.How, Story: "by " + t.By, Name: t.ID}
		if v.whole {
			e.Says = []report.Said{{Name: "What", Value: t.What}, {Name: "Why", Value: t.Purpose}}
		} else {
			e.Apart = true
		}
		all = append(all, e)
	}
	slices.SortStableFunc(all, func(a, b event) int { return b.At.Compare(a.At) })
	return all
}

// entered says who entered a record, and how they came to know it.
func entered(r report.Record) string {
	said := "by " + r.By
	if r.Told != "" {
		said += ", told by " + r.Told
	}
	if r.From != "" {
		said += ", by " + r.From
	}
	return said
}

// whats are what is sent, in words.
var whats = map[exchange.What]string{
	exchange.WhatPatient: "who the client is", exchange.WhatConsent: "the release", exchange.WhatReferral: "the referral", exchange.WhatTask: "the request to take the referral up",
	exchange.WhatPacket: "the referral packet", exchange.WhatCancel: "the cancellation", exchange.WhatCancelRequest: "the request to cancel", exchange.WhatRevoked: "the referral, revoked",
	exchange.WhatUnsafe: "that the referral is unsafe", exchange.WhatAnswer: "the answer to a question", exchange.WhatQuestion: "a question of the prescriber", exchange.WhatTaskStatus: "how the referral stands",
	exchange.WhatClearance: "a copy of the decision", exchange.WhatPrescription: "how the prescription stands", exchange.WhatDispense: "how the dispensing stands",
}

// eventsAt is a page of the timeline.
func eventsAt(path, asOf string, n int) string {
	q := url.Values{}
	if asOf != "" {
		q.Set("as-of", asOf)
	}
	q.Set("page", strconv.Itoa(n))
	return path + "?" + q.Encode() + "#timeline"
}
