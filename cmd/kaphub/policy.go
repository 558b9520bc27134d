package main

import (
	"embed"
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// policies turns what the operator wrote into one policy for each prescriber, in the order of the config. bases are what
// the absolute references of each source begin with.
func policies(c *config.Config, bases map[string]string) ([]readiness.Policy, error) {
	maps, err := conceptMaps(c)
	if err != nil {
		return nil, err
	}
	terms, err := fhir.NewTerms(maps)
	if err != nil {
		return nil, err
	}
	practice := practiceParty(c)
	var all []readiness.Policy
	for i := range c.Prescribers {
		p := &c.Prescribers[i]
		policy := readiness.Policy{
			Practice:      practice,
			Prescriber:    prescriberParty(p),
			Zone:          c.Location(),
			Sheet:         sheet(&p.Sheet, c.Location()),
			TaskGuide:     readiness.Guide(p.TaskDialect),
			TaskSteps:     taskSteps(p.TaskSteps),
			Terms:         terms,
			ReferralCodes: codes(c.Practice.ReferralCodes, fhir.Code{System: fhir.SystemKAP, Code: fhir.CodeEvaluation}),
			Ketamine:      codes(p.Ketamine),
			Credentials:   credentials(c.Practice.Credentials),
			Consents:      codes(c.Practice.Consents, fhir.Code{System: fhir.SystemKAP, Code: fhir.CodeTreatmentConsent}),
			Watch:         watchList(c.Practice.WatchList),
			ClientWays:    c.Practice.ClientWays,
			Withhold:      p.Withhold,
			Part2:         c.Hub.Part2,
			Bases:         bases,
			Rules:         rules(rules(readiness.DefaultRules(), c.Rules), p.Rules),
		}
		for j := range c.Prescribers {
			if j != i {
				policy.Others = append(policy.Others, prescriberParty(&c.Prescribers[j]))
			}
		}
		if _, policy.Hash, err = kept(policy); err != nil {
			return nil, err
		}
		all = append(all, policy)
	}
	return all, nil
}

// watchList is what the practice watches for: its own list, else the default.
func watchList(rows []config.Watched) fhir.WatchList {
	if rows == nil {
		return fhir.DefaultWatchList()
	}
	var list fhir.WatchList
	for _, r := range rows {
		list = append(list, fhir.Watched{Code: fhir.Code{System: r.System, Code: r.Code}, Words: r.Words, Severity: r.Severity, In: r.In, Unless: codes(r.Unless)})
	}
	return list
}

// watchedFor are the codes that the practice's servers are asked for, by type.
func watchedFor(c *config.Config) map[string][]fhir.Code {
	list, by := watchList(c.Practice.WatchList), map[string][]fhir.Code{}
	for _, typ := range fhir.Watchable() {
		by[typ] = list.Codes(typ)
	}
	return by
}

// recogniser tells what of a source concerns the hub at all.
func recogniser(c *config.Config, all []readiness.Policy) fhir.Recogniser {
	g := fhir.Recogniser{ReferralCodes: all[0].ReferralCodes, Terms: all[0].Terms, Watch: all[0].Watch, Part2: all[0].Part2}
	for _, p := range all {
		g.Prescribers = append(g.Prescribers, fhir.Known{Name: p.Prescriber.Name, Identifiers: p.Prescriber.Identifiers})
	}
	return g
}

// conceptMaps reads every party's code maps.
func conceptMaps(c *config.Config) (map[string][][]byte, error) {
	all := map[string][][]byte{}
	read := func(party string, names []string) error {
		for _, name := range names {
			body, err := conceptMap(c, name)
			if err != nil {
				return fmt.Errorf("read concept map of %s: %w", party, err)
			}
			all[party] = append(all[party], body)
		}
		return nil
	}
	if err := read(fhir.Practice, c.Practice.ConceptMaps); err != nil {
		return nil, err
	}
	for i := range c.Prescribers {
		p := &c.Prescribers[i]
		if err := read(p.Name, p.ConceptMaps); err != nil {
			return nil, err
		}
		if own := ownWords(p); own != nil {
			all[p.Name] = append(all[p.Name], own...)
		}
	}
	return all, nil
}

//go:embed conceptmaps/*.json
var builtins embed.FS

// conceptMap reads one code map: a file, or one that comes with the hub, named like builtin:bser.
func conceptMap(c *config.Config, name string) ([]byte, error) {
	if builtin, ok := strings.CutPrefix(name, config.Builtin); ok {
		return builtins.ReadFile("conceptmaps/" + builtin + ".json")
	}
	return os.ReadFile(c.Path(name))
}

func practiceParty(c *config.Config) readiness.Party {
	title := c.Practice.Title
	if title == "" {
		title = c.Hub.Name
	}
	if title == "" {
		title = "The practice"
	}
	return readiness.Party{Name: fhir.Practice, Title: title, Identifiers: ids(c.Practice.Identifiers), Address: c.Practice.Contact,
		Sources: sourceNames(c.Practice.Connectors), Desk: desk.Source(fhir.Practice), Imported: rosterSource, Limit: time.Duration(c.Practice.StaleAfter)}
}

func prescriberParty(p *config.Prescriber) readiness.Party {
	title := p.Title
	if title == "" {
		title = p.Name
	}
	return readiness.Party{Name: p.Name, Title: title, Identifiers: ids(p.Identifiers),
		Sources: sourceNames(p.Connectors), Desk: desk.Source(p.Name), Limit: time.Duration(p.StaleAfter), Closed: day(p.Closed)}
}

func taskSteps(from []config.TaskStep) []readiness.Step {
	var to []readiness.Step
	for _, s := range from {
		to = append(to, readiness.Step{From: s.From, To: s.To, By: readiness.Mover(s.By), Manner: readiness.Manner(s.Is)})
	}
	return to
}

func sourceNames(entries []config.Entry) []string {
	var names []string
	for _, e := range entries {
		if !byHand(e) {
			names = append(names, e.Name)
		}
	}
	return names
}

func ids(from []config.ID) []fhir.ID {
	var to []fhir.ID
	for _, id := range from {
		to = append(to, fhir.ID{System: id.System, Value: id.Value})
	}
	return to
}

func deciders(from []config.Decider) []fhir.ID {
	var list []config.ID
	for _, d := range from {
		list = append(list, d.ID())
	}
	return ids(list)
}

// codes are those written, else the default.
func codes(from []config.Code, otherwise ...fhir.Code) []fhir.Code {
	if len(from) == 0 {
		return otherwise
	}
	var to []fhir.Code
	for _, c := range from {
		to = append(to, fhir.Code{System: c.System, Code: c.Code})
	}
	return to
}

func day(d config.Day) readiness.Day {
	return readiness.Day{Year: d.Year, Month: d.Month, Day: d.Day}
}

// asked carries a line of the sheet over, its value through f.
func asked[A, B any](a config.Asked[A], f func(A) B) readiness.Asked[B] {
	switch a.Answer {
	case config.NoneSet:
		return readiness.None[B]()
	case config.Set:
		return readiness.Is(f(a.Value))
	}
	return readiness.Asked[B]{}
}

func same[T any](v T) T                        { return v }
func duration(d config.Duration) time.Duration { return time.Duration(d) }
func limit(l config.Limit) readiness.Limit     { return readiness.Limit{Value: l.Value, Unit: l.Unit} }
func credential(list []config.Credential) (to []readiness.Credential) {
	for _, c := range list {
		to = append(to, readiness.Credential{Name: c.Name, Until: day(c.Until)})
	}
	return to
}

func credentials(a config.Asked[[]config.Credential]) readiness.Asked[[]readiness.Credential] {
	return asked(a, credential)
}

func sheet(s *config.Sheet, hub *time.Location) readiness.Sheet {
	zone := s.Zone.Location()
	if zone == nil {
		zone = hub
	}
	to := readiness.Sheet{
		Signed:            day(s.Signed),
		Deciders:          deciders(s.Deciders),
		ClearanceValidity: asked(s.ClearanceValidity, duration),
		FollowUp:          asked(s.FollowUp, duration),
		DoseInterval:      asked(s.DoseInterval, duration),
		SessionCap:        asked(s.SessionCap, same),
		Systolic:          asked(s.Systolic, limit),
		Diastolic:         asked(s.Diastolic, limit),
		HeartRate:         asked(s.HeartRate, limit),
		Preparations:      asked(s.Preparations, same),
		OfficeOnly:        asked(s.OfficeOnly, same),
		StatesNotServed:   asked(s.StatesNotServed, same),
		LeadDays:          asked(s.LeadDays, same),
		SessionFacts:      asked(s.SessionFacts, same),
		Published:         day(s.Published),
		Hours:             readiness.Hours{Zone: zone, Open: map[time.Weekday][2]time.Duration{}, Holidays: map[readiness.Day]bool{}},
		Phone:             s.Phone,
		WeekendPhone:      s.WeekendPhone,
	}
	for _, p := range s.Pharmacies {
		to.Pharmacies = append(to.Pharmacies, readiness.Dispensary(p))
	}
	for _, h := range s.Hours {
		for _, d := range h.Days {
			to.Hours.Open[d] = [2]time.Duration{h.From, h.To}
		}
	}
	if len(s.Hours) == 0 { // business days are needed even where nobody wrote hours
		for d := time.Monday; d <= time.Friday; d++ {
			to.Hours.Open[d] = [2]time.Duration{9 * time.Hour, 17 * time.Hour}
		}
	}
	for _, d := range s.Holidays {
		to.Hours.Holidays[day(d)] = true
	}
	return to
}

// rules are base with what is written in its place. A setting is the same in both by its key.
func rules(base readiness.Rules, r config.Rules) readiness.Rules {
	written := map[string]reflect.Value{}
	from := reflect.ValueOf(r)
	for i := range from.NumField() {
		if v := from.Field(i); !v.IsZero() {
			written[from.Type().Field(i).Tag.Get("yaml")] = reflect.Indirect(v)
		}
	}
	to := reflect.ValueOf(&base).Elem()
	for i := range to.NumField() {
		if v, ok := written[to.Type().Field(i).Tag.Get("key")]; ok {
			to.Field(i).Set(v.Convert(to.Field(i).Type()))
		}
	}
	return base
}
