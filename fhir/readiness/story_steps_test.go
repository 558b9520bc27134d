package readiness_test

import (
	"github.com/kaphub/kaphub/fhir"
)

// What is recorded again and again.
var (
	arrival = []records{
		func(c *course) fhir.Version { return c.BloodPressure(118, 76) },
		func(c *course) fhir.Version { return c.HeartRate(72) },
		func(c *course) fhir.Version { return c.Check(fhir.CodeRide, true) },
		func(c *course) fhir.Version { return c.Check(fhir.CodeFasting, true) },
		func(c *course) fhir.Version { return c.Check(fhir.CodeLocation, true) },
		func(c *course) fhir.Version { return c.Check(fhir.CodeNewInformation, false) },
	}
	goesAhead records = func(c *course) fhir.Version { return c.GoAhead() }
	stops     records = func(c *course) fhir.Version { return c.Flag("active") }
	lifts     records = func(c *course) fhir.Version { return c.Flag("inactive") }
)

// theDay is the arrival checks, all well, and the go-ahead.
func theDay() []records { return append(arrival[:len(arrival):len(arrival)], goesAhead) }

// movesTo has the session be at another time.
func movesTo(at string) records {
	return func(c *course) fhir.Version { return c.Dosing(wall(at)) }
}

// books has a further session be at that time.
func books(id, at string, edits ...fhir.Edit) records {
	return func(c *course) fhir.Version {
		return c.Dosing(wall(at), append([]fhir.Edit{set("id", id)}, edits...)...)
	}
}

// firstSession was kept then.
func firstSession(at string) records { return books("first", at, set("status", "fulfilled")) }

// tookOne is the one lozenge taken then.
func tookOne(at string) records {
	return func(c *course) fhir.Version {
		return c.Administration(wall(at), 1, set("id", "taken-"+at[:10]))
	}
}

// followUp is a follow-up visit with the prescriber, kept when it is recorded.
func followUp(c *course) fhir.Version {
	return c.Evaluation(set("id", "follow-up"), set("serviceType.0.coding.0.code", "follow-up"))
}

// gone has a record be there no more.
func (s *story) gone(kind, name, why string) records {
	return func(c *course) fhir.Version {
		for _, v := range s.told {
			if v.Type == kind && v.ID == name+"-"+c.Patient {
				return c.Gone(v, why)
			}
		}
		panic("no such record: " + kind + " " + name)
	}
}
