package fhirtest

import "github.com/kaphub/kaphub/fhir"

// Goal is a goal of the prescriber's for the client, active since At, without a target.
func (c *Course) Goal(edits ...fhir.Edit) fhir.Version {
	return c.fromThere("Goal", c.id("goal"), edits,
		`"lifecycleStatus":"active","description":{"text":"Readings before a session"},
		"subject":{"reference":"Patient/%s"},"startDate":%q`,
		c.there(), c.At.In(Denver).Format("2006-01-02"))
}

// CarePlan is the prescriber's plan of the course, active since At, without activities.
func (c *Course) CarePlan(edits ...fhir.Edit) fhir.Version {
	return c.fromThere("CarePlan", c.id("plan"), edits,
		`"status":"active","intent":"plan","subject":{"reference":"Patient/%s"},"created":%q`,
		c.there(), stamp(c.At))
}

// ConditionMet is the prescriber's word, at At, on how a condition of the clearance stands: "completed" when it is met.
func (c *Course) ConditionMet(condition, status string, edits ...fhir.Edit) fhir.Version {
	return c.fromThere("Task", c.id("condition"), edits,
		`"status":%q,"intent":"order",
		"code":{"coding":[{"system":%q,"code":%q}]},"description":%q,
		"focus":{"reference":"Observation/%s"},"for":{"reference":"Patient/%s"},"lastModified":%q`,
		status, fhir.SystemKAP, fhir.CodeCondition, condition, c.id("clearance"), c.there(), stamp(c.At))
}

// Role is the decider's role at the prescriber.
func (c *Course) Role(edits ...fhir.Edit) fhir.Version {
	return c.fromThere("PractitionerRole", "role-1", edits,
		`"active":true,"practitioner":{"identifier":{"system":%q,"value":%q}},
		"organization":{"identifier":{"system":%q,"value":%q}}`,
		DeciderNPI.System, DeciderNPI.Value, PrescriberNPI.System, PrescriberNPI.Value)
}

// Diagnosis is a condition that the practice recorded at At.
func (c *Course) Diagnosis(code fhir.Code, edits ...fhir.Edit) fhir.Version {
	return c.here("Condition", c.id("diagnosis"), edits,
		`"code":{"coding":[{"system":%q,"code":%q}]},"subject":{"reference":"Patient/%s"},"recordedDate":%q`,
		code.System, code.Code, c.Patient, stamp(c.At))
}

// Takes is a medicine that the client told the practice at At.
func (c *Course) Takes(code fhir.Code, edits ...fhir.Edit) fhir.Version {
	return c.here("MedicationStatement", c.id("takes"), edits,
		`"status":"active","medicationCodeableConcept":{"coding":[{"system":%q,"code":%q}]},
		"subject":{"reference":"Patient/%s"},"dateAsserted":%q`,
		code.System, code.Code, c.Patient, stamp(c.At))
}
