package readiness_test

import (
	"testing"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func TestR02DuplicateReferral(t *testing.T) {
	again := func(daysAgo int, edits ...fhir.Edit) told {
		return func(c *course) []fhir.Version {
			second := append([]fhir.Edit{set("id", "again"), set("identifier.0.value", "PLAC-again")}, edits...)
			return append(none(c), c.DaysBefore(20).Referral(), c.DaysBefore(daysAgo).Referral(second...), c.DaysBefore(10).Task("accepted"))
		}
	}
	their := func(status string) func(c *course) fhir.Version {
		return func(c *course) fhir.Version { return c.DaysBefore(1).Task(status, set("id", "second")) }
	}
	judgeRule(t, "R02", []rowAt{
		{name: "one → none", told: all},
		{name: "two are open → S3", told: again(5), want: "S3"},
		{name: "two records of one number → none", told: again(5, set("identifier.0.value", "PLAC-p1"))},
		{name: "the second was revoked → none", told: again(5, set("status", "revoked"))},
		{name: "the second names somebody else → none", told: again(5, set("performer.0.identifier.value", otherNPI)), policy: another},
		{name: "the other is of long ago → none", told: again(95)},
		{name: "both are accepted → S2", told: again(5).then(their("in-progress")), want: "S2"},
		{name: "one of them is done → S3", told: again(5).then(their("completed")), want: "S3"},
		{name: "one of them was turned down → S3", told: again(5).then(their("rejected")), want: "S3"},
	})
}

func TestR08EvaluationMissed(t *testing.T) {
	missed := func(daysAgo int, status string) told {
		return taken().then(func(c *course) fhir.Version { return c.DaysBefore(daysAgo).Evaluation(set("status", status)) })
	}
	booked := func(c *course) fhir.Version { return c.Dosing(now.AddDate(0, 0, 3)) }
	judgeRule(t, "R08", []rowAt{
		{name: "missed a week ago, none booked → S2", told: missed(7, "noshow"), want: "S2"},
		{name: "cancelled a week ago → S2", told: missed(7, "cancelled"), want: "S2"},
		{name: "missed yesterday → none yet", told: missed(1, "noshow")},
		{name: "missed, and a session is booked → S1", told: missed(7, "noshow").then(booked), want: "S1", state: readiness.NotReady},
		{name: "missed, and another is booked → none", told: missed(7, "noshow").then(func(c *course) fhir.Version {
			return c.On(now.AddDate(0, 0, 2)).Evaluation(set("id", "next"), set("status", "booked"))
		})},
		{name: "missed, and another was kept before → none", told: missed(7, "noshow").then(func(c *course) fhir.Version {
			return c.DaysBefore(8).Evaluation(set("id", "kept"))
		})},
		{name: "entered in error → none", told: missed(7, "entered-in-error")},
		{name: "missed, and decided all the same → none", told: plus(func(c *course) fhir.Version {
			return c.DaysBefore(7).Evaluation(set("id", "second"), set("status", "noshow"))
		})},
		{name: "their Task alone says that it was missed, two days ago → none yet", told: taken(business("5.1.2"))},
		{name: "their Task alone says so, since a week → S2", want: "S2", told: func(c *course) []fhir.Version {
			return append(none(c), c.DaysBefore(20).Referral(), c.DaysBefore(7).Task("in-progress", business("5.1.2")))
		}},
	})
}
