package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	table "github.com/kaphub/kaphub/fhir/store/db"
)

// outstanding returns the client's deliveries that had not come to their end at a moment, in the order in which they
// were staged, as their steps up to then tell.
func outstanding(ctx context.Context, q *table.Queries, client string, at int64) ([]fhir.Outstanding, error) {
	rows, err := q.OutstandingSteps(ctx, table.OutstandingStepsParams{Client: client, Moment: at})
	if err != nil {
		return nil, err
	}
	var all []fhir.Outstanding
	for _, s := range rows {
		if n := len(all); n == 0 || all[n-1].ID != s.ID {
			o := fhir.Outstanding{ID: s.ID, Prescriber: s.Prescriber, To: s.Party, What: s.What, Staged: clock(s.Staged), Superseded: s.Superseded}
			if err := json.Unmarshal([]byte(s.Rests), &o.Rests); err != nil {
				return nil, fmt.Errorf("delivery %s is damaged: run `kaphub audit verify`", s.ID)
			}
			all = append(all, o)
		}
		o := &all[len(all)-1]
		if int(s.Attempts) > o.Attempts { // a try begins
			o.Last = clock(s.At)
		}
		switch goes := goesOn(s.State); {
		case !goes && s.State != o.State, goes && o.State != "" && !goesOn(o.State), goes && o.Since.IsZero() && s.Attempts > 0:
			o.Since = clock(s.At) // it came to rest, was taken up again, or is tried for the first time
		}
		o.State, o.Attempts, o.Why, o.Due = s.State, int(s.Attempts), s.Why, clock(s.Due)
		if !goesOn(s.State) {
			o.Due = time.Time{}
		}
	}
	return slices.DeleteFunc(all, func(o fhir.Outstanding) bool {
		return o.State == string(exchange.Delivered) || o.State == string(exchange.Withdrawn)
	}), nil
}

// goesOn reports whether a delivery in this state goes on by itself.
func goesOn(state string) bool {
	return state == string(exchange.Staged) || state == string(exchange.Attempted)
}
