package readiness_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

type obj = map[string]any

func inSystem(system, code string) obj {
	return obj{"coding": []any{obj{"system": system, "code": code}}}
}

func ucum(value any, code string) obj {
	return obj{"value": value, "system": fhir.SystemUCUM, "code": code}
}

// part is a component of a decision.
func part(item string, value obj) obj {
	c := obj{"code": inSystem(fhir.SystemClearanceItem, item)}
	for k, v := range value {
		c[k] = v
	}
	return c
}

// decidedWith is the blameless client, cleared with these components.
func decidedWith(parts ...any) told {
	c := fhirtest.Client(now)
	return cleared(fhir.DecisionCleared, c.Day(-50), c.Day(40), set("component", parts))
}

func quantityOf(value any, code string) obj { return obj{"valueQuantity": ucum(value, code)} }

// goal is a goal of the prescriber's with an upper limit of a reading.
func goal(code string, target obj, edits ...fhir.Edit) func(c *course) fhir.Version {
	return func(c *course) fhir.Version {
		target["measure"] = inSystem(fhir.SystemLOINC, code)
		return c.DaysBefore(40).Goal(append([]fhir.Edit{set("target", []any{target})}, edits...)...)
	}
}

// planned is an active care plan whose dosing sessions are repeated so.
func planned(repeat obj, edits ...fhir.Edit) func(c *course) fhir.Version {
	return func(c *course) fhir.Version {
		return c.DaysBefore(40).CarePlan(append([]fhir.Edit{set("activity", []any{obj{"detail": obj{
			"code": inSystem(fhir.SystemSession, fhir.SessionDosing), "status": "in-progress", "scheduledTiming": obj{"repeat": repeat},
		}}})}, edits...)...)
	}
}

func doneBefore(days int) func(c *course) fhir.Version {
	return func(c *course) fhir.Version {
		at := c.Session.AddDate(0, 0, -days)
		return c.On(at).SessionDone(at, set("id", "done-"+at.Format(time.DateOnly)))
	}
}

var (
	noSystolic = onSheet(func(s *readiness.Sheet) { s.Systolic = readiness.Asked[readiness.Limit]{} })
	onceAWeek  = onSheet(func(s *readiness.Sheet) { s.SessionCap = readiness.Is(1) })
	noSpacing  = onSheet(func(s *readiness.Sheet) {
		s.DoseInterval, s.SessionCap = readiness.Asked[time.Duration]{}, readiness.Asked[int]{}
	})
)

func TestTheClientsOwnLimitOfAReadingComesBeforeTheSheets(t *testing.T) {
	pressure := func(systolic any, unit string) told {
		return less("Observation", "bp").then(func(c *course) fhir.Version {
			v := c.On(now.Add(-20*time.Minute)).BloodPressure(0, 0, set("component.0.valueQuantity", ucum(systolic, unit)), set("component.1.valueQuantity", ucum(70, "mm[Hg]")))
			return v
		}).confirmed()
	}
	with := func(t told, more ...func(c *course) fhir.Version) told {
		for _, m := range more {
			t = t.then(m)
		}
		return t
	}
	systolic := func(value any, unit string) func(c *course) fhir.Version {
		return goal(fhir.LOINCSystolic, obj{"detailQuantity": ucum(value, unit)})
	}
	rows := []rowAt{
		{name: "the sheet's alone, 140, reading 140 → met", told: pressure(140, "mm[Hg]"), want: "met", state: readiness.Ready},
		{name: "a goal of 130, reading 131 → blocked", told: with(pressure(131, "mm[Hg]"), systolic(130, "mm[Hg]")), want: "blocked", state: readiness.Hold},
		{name: "a goal of 130, reading 130 → met", told: with(pressure(130, "mm[Hg]"), systolic(130, "mm[Hg]")), want: "met", state: readiness.Ready},
		{name: "a goal of 150, above the sheet's 140, reading 145 → met: the client's own counts", told: with(pressure(145, "mm[Hg]"), systolic(150, "mm[Hg]")), want: "met", state: readiness.Ready},
		{name: "a goal of 130, where the sheet was not asked → met", told: with(pressure(130, "mm[Hg]"), systolic(130, "mm[Hg]")), policy: noSystolic, want: "met", state: readiness.Ready},
		{name: "no goal, and the sheet not asked → unknown", told: pressure(110, "mm[Hg]"), policy: noSystolic, want: "unknown", state: readiness.Unknown},
		{name: "the high end of a range, 130, reading 131 → blocked", told: with(pressure(131, "mm[Hg]"), goal(fhir.LOINCSystolic, obj{"detailRange": obj{"low": ucum(90, "mm[Hg]"), "high": ucum(130, "mm[Hg]")}})), want: "blocked"},
		{name: "a range without a high end → unknown", told: with(pressure(110, "mm[Hg]"), goal(fhir.LOINCSystolic, obj{"detailRange": obj{"low": ucum(90, "mm[Hg]")}})), want: "unknown", state: readiness.Unknown},
		{name: "a goal without a unit → unknown", told: with(pressure(110, "mm[Hg]"), goal(fhir.LOINCSystolic, obj{"detailQuantity": obj{"value": 130}})), want: "unknown", state: readiness.Unknown},
		{name: "a goal in a unit of a code system that is not UCUM → unknown", told: with(pressure(110, "mm[Hg]"), goal(fhir.LOINCSystolic, obj{"detailQuantity": obj{"value": 130, "system": "https://units.example", "code": "mm[Hg]"}})), want: "unknown"},
		{name: "two goals: the strictest counts → blocked", told: with(pressure(125, "mm[Hg]"), systolic(130, "mm[Hg]"), goal(fhir.LOINCSystolic, obj{"detailQuantity": ucum(120, "mm[Hg]")}, set("id", "other"))), want: "blocked"},
		{name: "a completed goal is none → met by the sheet's", told: with(pressure(135, "mm[Hg]"), goal(fhir.LOINCSystolic, obj{"detailQuantity": ucum(130, "mm[Hg]")}, set("lifecycleStatus", "completed"))), want: "met"},
		{name: "a proposed goal is none → met by the sheet's", told: with(pressure(135, "mm[Hg]"), goal(fhir.LOINCSystolic, obj{"detailQuantity": ucum(130, "mm[Hg]")}, set("lifecycleStatus", "proposed"))), want: "met"},
		{name: "a goal that disappeared lifts nothing → blocked", told: with(pressure(135, "mm[Hg]"), systolic(130, "mm[Hg]")).gone("Goal", "goal"), want: "blocked"},
		{name: "a goal of 150, above the sheet's 140, that disappeared, reading 145 → blocked: it frees from nothing", told: with(pressure(145, "mm[Hg]"), systolic(150, "mm[Hg]")).gone("Goal", "goal"), want: "blocked", state: readiness.Hold},
		{name: "a goal of 150 that disappeared, the sheet not asked, reading 145 → unknown", told: with(pressure(145, "mm[Hg]"), systolic(150, "mm[Hg]")).gone("Goal", "goal"), policy: noSystolic, want: "unknown", state: readiness.Unknown},
		{name: "a goal of 150 that disappeared, the sheet not asked, reading 155 → blocked", told: with(pressure(155, "mm[Hg]"), systolic(150, "mm[Hg]")).gone("Goal", "goal"), policy: noSystolic, want: "blocked", state: readiness.Hold},
		{name: "a goal of 150 from next month on, above the sheet's 140, reading 145 → blocked", want: "blocked",
			told: with(pressure(145, "mm[Hg]"), goal(fhir.LOINCSystolic, obj{"detailQuantity": ucum(150, "mm[Hg]")}, set("startDate", "2026-04-03")))},
		{name: "a goal of 150 that began in January, reading 145 → met", want: "met",
			told: with(pressure(145, "mm[Hg]"), goal(fhir.LOINCSystolic, obj{"detailQuantity": ucum(150, "mm[Hg]")}, set("startDate", "2026-01-22")))},
		{name: "a goal of the practice's own is none → met by the sheet's", want: "met", told: pressure(135, "mm[Hg]").then(func(c *course) fhir.Version {
			v := systolic(130, "mm[Hg]")(c)
			v.Party, v.Source = fhir.Practice, fhirtest.PracticeSource
			return v
		})},

		{name: "a reading of 18.66508 kPa is 140 mmHg exactly → met", told: pressure(18.66508, "kPa"), want: "met"},
		{name: "a reading of 18.7 kPa is above 140 mmHg → blocked", told: pressure(18.7, "kPa"), want: "blocked"},
		{name: "a reading in no unit → unknown", told: pressure(110, ""), want: "unknown"},
		{name: "a goal of 17.3 kPa, reading 130 mmHg → blocked", told: with(pressure(130, "mm[Hg]"), systolic(17.3, "kPa")), want: "blocked"},
		{name: "a goal of 17.4 kPa, reading 130 mmHg → met", told: with(pressure(130, "mm[Hg]"), systolic(17.4, "kPa")), want: "met"},
		{name: "the sheet's 18.7 kPa, reading 140 mmHg → met", told: pressure(140, "mm[Hg]"), want: "met",
			policy: onSheet(func(s *readiness.Sheet) { s.Systolic = readiness.Is(readiness.Limit{Value: 18.7, Unit: "kPa"}) })},
		{name: "the sheet's in beats a minute → unknown", told: pressure(110, "mm[Hg]"), want: "unknown",
			policy: onSheet(func(s *readiness.Sheet) { s.Systolic = readiness.Is(readiness.Limit{Value: 140, Unit: "/min"}) })},
		{name: "the decision's own in an unknown unit is not passed over for the sheet's → unknown", told: decidedWith(part(fhir.ItemSystolic, quantityOf(190, "cm[H2O]"))), want: "unknown"},
	}
	for i := range rows {
		if strings.Contains(rows[i].name, "in no unit") {
			rows[i].told = less("Observation", "bp").then(func(c *course) fhir.Version {
				return c.On(now.Add(-20*time.Minute)).BloodPressure(110, 70, set("component.0.valueQuantity", obj{"value": 110}))
			})
		}
	}
	judgeGate(t, readiness.GateVitals, rows)
}

func TestAGateSaysWhoseLimitItIs(t *testing.T) {
	v := rowAt{told: plus(goal(fhir.LOINCSystolic, obj{"detailQuantity": ucum(130, "mm[Hg]")}))}.verdict()
	if want := "Blood pressure and heart rate within the limits: systolic pressure 130 mmHg (Skylight Psychedelics recorded it on Thu 22 Jan 2026); diastolic pressure 90 mmHg, heart rate 100 a minute (per agreement of Sat 10 Jan 2026)"; gate(t, v, readiness.GateVitals).Words != want {
		t.Errorf("got  %s\nwant %s", gate(t, v, readiness.GateVitals).Words, want)
	}
	v = rowAt{told: inOrder, at: -2 * day, policy: noSystolic}.verdict()
	if g := gate(t, v, readiness.GateVitals); !strings.Contains(g.Words, "no limit of the systolic pressure is on file") || !strings.HasPrefix(g.Next, "ask Skylight Psychedelics") {
		t.Errorf("two days before, with no limit on file: %s; next: %s", g.Words, g.Next)
	}
	v = rowAt{told: plus(planned(obj{"frequency": 1, "period": 2, "periodUnit": "wk"})).then(doneBefore(8))}.verdict()
	if g := gate(t, v, readiness.GateInterval); !strings.Contains(g.Words, "at most 1 session in 14 days (Skylight Psychedelics recorded it on Thu 22 Jan 2026)") || !strings.Contains(g.Words, "at least 6 days apart (per agreement of Sat 10 Jan 2026)") {
		t.Errorf("the interval: %s", g.Words)
	}
	v = rowAt{told: decidedWith(part(fhir.ItemSetting, obj{"valueCodeableConcept": inSystem(fhir.SystemActCode, "HH")}))}.verdict()
	if g := gate(t, v, readiness.GateSetting); !strings.Contains(g.Words, "at the client's home only (Skylight Psychedelics recorded it on Mon 12 Jan 2026)") {
		t.Errorf("the setting: %s", g.Words)
	}
}

func TestTheClientsOwnIntervalAndNumberComeBeforeTheSheets(t *testing.T) {
	interval := func(days any, unit string) told { return decidedWith(part(fhir.ItemInterval, quantityOf(days, unit))) }
	weekly := func(n int) told { return decidedWith(part(fhir.ItemWeekly, obj{"valueInteger": n})) }
	judgeGate(t, readiness.GateInterval, []rowAt{
		{name: "six days by the sheet, a dose six days before → met", told: told(all).then(doneBefore(6)), want: "met"},
		{name: "six days by the sheet, a dose five days before → open", told: told(all).then(doneBefore(5)), want: "open", state: readiness.NotReady},
		{name: "fourteen days by the decision, a dose seven days before → open", told: interval(14, "d").then(doneBefore(7)), want: "open"},
		{name: "two weeks by the decision, a dose fourteen days before → met", told: interval(2, "wk").then(doneBefore(14)), want: "met"},
		{name: "three days by the decision, below the sheet's six, a dose four days before → met", told: interval(3, "d").then(doneBefore(4)), want: "met"},
		{name: "a month by the decision: no unit of one length → unknown", told: interval(1, "mo").then(doneBefore(40)), want: "met", state: readiness.Unknown},
		{name: "by the decision alone, and the weekly number not asked → unknown", told: interval(3, "d"), policy: noSpacing, want: "unknown"},
		{name: "both by the decision, nothing asked of the sheet → met", policy: noSpacing, want: "met",
			told: decidedWith(part(fhir.ItemInterval, quantityOf(3, "d")), part(fhir.ItemWeekly, obj{"valueInteger": 1}))},
		{name: "one a week by the decision, a dose six days before → open", told: weekly(1).then(doneBefore(6)), want: "open"},
		{name: "one a week by the decision, a dose seven days before → met", told: weekly(1).then(doneBefore(7)), want: "met"},
		{name: "one in two weeks by the care plan, a dose thirteen days before → open", told: plus(planned(obj{"frequency": 1, "period": 2, "periodUnit": "wk"})).then(doneBefore(13)), want: "open"},
		{name: "one in two weeks by the care plan, a dose fourteen days before → met", told: plus(planned(obj{"frequency": 1, "period": 2, "periodUnit": "wk"})).then(doneBefore(14)), want: "met"},
		{name: "one or two a week by the care plan, a dose six days before → met", told: plus(planned(obj{"frequency": 1, "frequencyMax": 2, "period": 1, "periodUnit": "wk"})).then(doneBefore(6)), want: "met"},
		{name: "so many a month by the care plan → unknown", told: plus(planned(obj{"frequency": 3, "period": 1, "periodUnit": "mo"})), want: "unknown", state: readiness.Unknown},
		{name: "a closed care plan is none → met", told: plus(planned(obj{"frequency": 1, "period": 2, "periodUnit": "wk"}, set("status", "completed"))).then(doneBefore(8)), want: "met"},
		{name: "three in three weeks by a care plan that disappeared, one a week by the sheet, a dose six days before → open", want: "open", policy: onceAWeek,
			told: plus(planned(obj{"frequency": 3, "period": 3, "periodUnit": "wk"})).then(doneBefore(6)).gone("CarePlan", "plan")},
		{name: "… that begins in a month → open", want: "open", policy: onceAWeek,
			told: plus(planned(obj{"frequency": 3, "period": 3, "periodUnit": "wk"}, set("period", obj{"start": "2026-04-03"}))).then(doneBefore(6))},
		{name: "… that is in force → met", want: "met", policy: onceAWeek, told: plus(planned(obj{"frequency": 3, "period": 3, "periodUnit": "wk"})).then(doneBefore(6))},
		{name: "a care plan that is over is none → met", told: plus(planned(obj{"frequency": 1, "period": 2, "periodUnit": "wk"}, set("period", obj{"end": "2026-03-01"}))).then(doneBefore(8)), want: "met"},
	})
	judgeGate(t, readiness.GateClearance, []rowAt{
		{name: "two in all by the care plan, one taken since it began → met", told: plus(planned(obj{"count": 2})).then(doneBefore(8)), want: "met"},
		{name: "two in all by the care plan, two taken since it began → open", told: plus(planned(obj{"count": 2})).then(doneBefore(8)).then(doneBefore(16)), want: "open", state: readiness.NotReady},
		{name: "two in all by the care plan, one of two before it began → met", told: plus(planned(obj{"count": 2})).then(doneBefore(8)).then(doneBefore(45)), want: "met"},
	})
}

func booked(code string) func(c *course) fhir.Version {
	return func(c *course) fhir.Version {
		return c.On(now.Add(-time.Hour)).Dosing(c.Session, set("appointmentType", inSystem(fhir.SystemActCode, code)))
	}
}

func TestTheClientsOwnSettingComesBeforeTheSheets(t *testing.T) {
	setting := func(codes ...string) told {
		var parts []any
		for _, code := range codes {
			parts = append(parts, part(fhir.ItemSetting, obj{"valueCodeableConcept": inSystem(fhir.SystemActCode, code)}))
		}
		return decidedWith(parts...)
	}
	judgeGate(t, readiness.GateSetting, []rowAt{
		{name: "the office by the sheet, booked there → met", told: all, want: "met"},
		{name: "the office by the sheet, booked remote → open", told: plus(booked("VR")), want: "open", state: readiness.NotReady},
		{name: "remote by the decision, booked remote, the office by the sheet → met", told: setting("VR").then(booked("VR")), want: "met"},
		{name: "the office by the decision, booked remote, anywhere by the sheet → open", told: setting("AMB").then(booked("VR")), want: "open",
			policy: onSheet(func(s *readiness.Sheet) { s.OfficeOnly = readiness.Is(false) })},
		{name: "at home by the decision, booked in the office → open", told: setting("HH"), want: "open"},
		{name: "the office or at home by the decision, booked at home → met", told: setting("AMB", "HH").then(booked("HH")), want: "met"},
		{name: "at home by the decision, booked remote → open", told: setting("HH").then(booked("VR")), want: "open"},
		{name: "by the decision, the sheet not asked → met", told: setting("AMB"), want: "met", policy: onSheet(func(s *readiness.Sheet) { s.OfficeOnly = readiness.Asked[bool]{} })},
		{name: "neither on file → unknown", told: all, want: "unknown", policy: onSheet(func(s *readiness.Sheet) { s.OfficeOnly = readiness.Asked[bool]{} })},
	})
	judgeGate(t, readiness.GateClearance, []rowAt{
		{name: "a setting that nobody knows → unknown", told: setting("MOON"), want: "unknown", state: readiness.Unknown},
	})
}

func TestR31SessionsTooClose(t *testing.T) {
	then := func(days int) func(c *course) fhir.Version {
		return func(c *course) fhir.Version {
			at := c.Session.AddDate(0, 0, days)
			return c.DaysBefore(9).Dosing(at, set("id", "dosing-"+at.Format(time.DateOnly)))
		}
	}
	judgeRule(t, "R31", []rowAt{
		{name: "far enough from the last dose → none", told: told(all).then(doneBefore(6)), want: "", state: readiness.Ready},
		{name: "too close to the last dose → S2", told: told(all).then(doneBefore(5)), want: "S2", state: readiness.NotReady},
		{name: "the session after the next too close to it → S3, and the next is ready", told: plus(then(4)), want: "S3", state: readiness.Ready},
		{name: "the session after the next far enough → none", told: plus(then(6)), want: "", state: readiness.Ready},
		{name: "a session in three weeks is not looked at → none", told: plus(then(20)).then(then(21)), want: ""},
		{name: "a third session in seven days, where two are allowed and three days between → S3", told: plus(then(3)).then(then(6)), want: "S3",
			policy: onSheet(func(s *readiness.Sheet) { s.DoseInterval = readiness.Is(3 * day) })},
		{name: "a later session seven days after, where the decision says fourteen → S3: the client's own counts, not the sheet's six", want: "S3", told: decidedWith(part(fhir.ItemInterval, quantityOf(14, "d"))).then(then(7))},
		{name: "the sheet was never asked → none: the gate is unknown, and asks", told: told(all).then(doneBefore(1)), policy: noSpacing, want: "", state: readiness.Unknown},
		{name: "how many a week was never asked, too close to the last dose → S2 by the days between, and the gate asks", told: told(all).then(doneBefore(5)), want: "S2", state: readiness.Unknown,
			policy: onSheet(func(s *readiness.Sheet) { s.SessionCap = readiness.Asked[int]{} })},
		{name: "how many a week was never asked, far enough from the last dose → none: the gate asks", told: told(all).then(doneBefore(6)), want: "", state: readiness.Unknown,
			policy: onSheet(func(s *readiness.Sheet) { s.SessionCap = readiness.Asked[int]{} })},
		{name: "the days between were never asked, a third session in seven days → S3 by how many a week", told: plus(then(3)).then(then(6)), want: "S3", state: readiness.Unknown,
			policy: onSheet(func(s *readiness.Sheet) { s.DoseInterval = readiness.Asked[time.Duration]{} })},
		{name: "the sheet says \"none set\" → none, even a day apart", told: told(all).then(doneBefore(1)), want: "", policy: onSheet(func(s *readiness.Sheet) {
			s.DoseInterval, s.SessionCap = readiness.None[time.Duration](), readiness.None[int]()
		})},
		{name: "a past session that nobody closed → none: the gate is unknown", want: "", state: readiness.Unknown, told: plus(func(c *course) fhir.Version {
			return c.DaysBefore(9).Dosing(now.AddDate(0, 0, -3), set("id", "past"))
		})},
	})
}

func TestR32WrongSetting(t *testing.T) {
	judgeRule(t, "R32", []rowAt{
		{name: "in the office, where the office is agreed → none", told: all, want: "", state: readiness.Ready},
		{name: "remote, where the office is agreed → S1", told: plus(booked("VR")), want: "S1", state: readiness.NotReady},
		{name: "at home, where the office is agreed → S1", told: plus(booked("HH")), want: "S1"},
		{name: "a later session remote → S3, and the next is ready", want: "S3", state: readiness.Ready, told: plus(func(c *course) fhir.Version {
			return c.DaysBefore(9).Dosing(c.Session.AddDate(0, 0, 7), set("id", "later"), set("appointmentType", inSystem(fhir.SystemActCode, "VR")))
		})},
		{name: "in a state that is not served → S1", told: again(9*day, "Patient", "p1", set("address.0.state", "AL")).confirmed(), want: "S1", state: readiness.NotReady},
		{name: "in a state that is not served, and no session → none, the gate is open", want: "", told: less("Appointment", "dosing").then(func(c *course) fhir.Version {
			return c.PatientHere(set("address.0.state", "AL"))
		})},
		{name: "no state on file → none, the gate is unknown", told: again(9*day, "Patient", "p1", set("address", nil)).confirmed(), want: "", state: readiness.Unknown},
		{name: "not asked → none, the gate asks", told: plus(booked("VR")), want: "", policy: onSheet(func(s *readiness.Sheet) { s.OfficeOnly = readiness.Asked[bool]{} })},
	})
}

func TestR37VitalsOutsideLimits(t *testing.T) {
	reading := func(systolic, diastolic, minutes int) func(c *course) fhir.Version {
		return func(c *course) fhir.Version {
			return c.On(now.Add(-time.Duration(minutes)*time.Minute)).BloodPressure(systolic, diastolic, set("id", "again"))
		}
	}
	judgeRule(t, "R37", []rowAt{
		{name: "within the limits → none", told: all, want: "", state: readiness.Ready},
		{name: "at the limit → none", told: plus(reading(140, 90, 5)), want: ""},
		{name: "beyond the sheet's limit → S1, and the gate holds", told: plus(reading(141, 90, 5)), want: "S1", state: readiness.Hold},
		{name: "beyond the client's own limit, within the sheet's → S1", told: decidedWith(part(fhir.ItemSystolic, quantityOf(115, "mm[Hg]"))), want: "S1", state: readiness.Hold},
		{name: "beyond, then taken again and within → none", told: plus(reading(150, 80, 20)).then(func(c *course) fhir.Version {
			return c.On(now.Add(-2*time.Minute)).BloodPressure(130, 80, set("id", "third"))
		}), want: "", state: readiness.Ready},
		{name: "beyond, and the record gone → S1: silence lifts nothing", want: "S1", state: readiness.Hold, told: plus(func(c *course) fhir.Version {
			return c.On(now.Add(-20*time.Minute)).BloodPressure(150, 80)
		}).gone("Observation", "bp")},
		{name: "high, and no limit on file → none, the gate asks the prescriber", told: plus(reading(180, 80, 5)), policy: noSystolic, want: "", state: readiness.Unknown},
		{name: "a reading that cannot be read → none, the gate is unknown", told: less("Observation", "heart-rate").then(func(c *course) fhir.Version { return c.HeartRate(150, set("valueQuantity.code", "Hz")) }), want: "", state: readiness.Unknown},
		{name: "two days before the session → none", told: inOrder, at: -2 * day, want: ""},
	})
	v := rowAt{told: plus(reading(150, 95, 5))}.verdict()
	n := 0
	for _, f := range v.Findings {
		if f.Code == "R37" {
			n++
		}
	}
	if n != 2 {
		t.Errorf("%d findings, one for each reading that is beyond", n)
	}
	f, _ := finding(v, "R37")
	if want := "The systolic pressure of Tue 3 Mar 2026 08:55 is 150 mmHg, beyond the limit of 140 mmHg (per agreement of Sat 10 Jan 2026)"; f.Words != want {
		t.Errorf("got  %s\nwant %s", f.Words, want)
	}
}
