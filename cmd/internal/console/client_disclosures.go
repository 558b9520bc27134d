package console

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/jobs/report"
)

// disclosuresPage is to whom something of a client was told, to look at and to print for the client (45 CFR 164.528).
type disclosuresPage struct {
	frame
	whom
	From, To moment
	A        report.Accounting
	CSV      string // where the same is as a table; "" = not for this visitor
	Apart    bool   // what people told is not shown, so that it is not to be handed to the client
}

func (v *visit) disclosuresPage() error {
	query := v.r.URL.Query()
	p := disclosuresPage{frame: v.frame("Disclosures"), From: moment{Typed: query.Get("from")}, To: moment{Typed: query.Get("to")}}
	in, err := v.disclosed("page", p.From.Typed, p.To.Typed)
	if bad, ok := errors.AsType[*BadMoment](err); ok {
		if bad.Field == "to" {
			p.To.Wrong = sentence(bad.Error())
		} else {
			p.From.Wrong = sentence(bad.Error())
		}
		in, err = v.disclosed("page", "", "")
	}
	if err != nil {
		return err
	}
	p.A = report.NewAccounting(in)
	p.whom = whom{Key: v.client, Name: p.A.Name()}
	if v.whole && v.who.Is(clinical...) {
		p.CSV = v.r.URL.Path + ".csv?" + url.Values{"from": {p.From.Typed}, "to": {p.To.Typed}}.Encode()
	}
	p.Apart = !v.whole
	return v.show("disclosures", p)
}

// Long is the day of a time, as on a letter.
func (p disclosuresPage) Long(t time.Time) string {
	return t.In(p.zone).Format("Monday 2 January 2006")
}

func (v *visit) disclosuresCSV() error {
	query := v.r.URL.Query()
	in, err := v.disclosed("csv", query.Get("from"), query.Get("to"))
	if bad, ok := errors.AsType[*BadMoment](err); ok {
		return &refusal{http.StatusBadRequest, "That time cannot be read", sentence(bad.Error())}
	}
	if err != nil {
		return err
	}
	if !v.whole {
		return notTheirs
	}
	var b bytes.Buffer
	if err := report.NewAccounting(in).CSV(&b); err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	v.w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", "disclosures-"+v.client+".csv"))
	_, _ = b.WriteTo(v.w) // the asker has gone: nobody to tell
	return nil
}

// disclosed is what the visitor may see of the accounting: what people told by phone may be a story, in their own words.
func (v *visit) disclosed(form, from, to string) (report.AccountingInput, error) {
	if err := v.sees(); err != nil {
		return report.AccountingInput{}, err
	}
	in, err := v.Clients.Disclosed(v.ctx(), v.who.Name, v.client, form, from, to)
	if err != nil || v.whole {
		return in, err
	}
	told := make([]exchange.Telling, 0, len(in.Told))
	for _, t := range in.Told {
		t.What, t.Purpose = "What was told is for the therapist", "The purpose is, too"
		told = append(told, t)
	}
	in.Told = told
	return in, nil
}
