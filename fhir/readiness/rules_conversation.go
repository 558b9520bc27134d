package readiness

import "github.com/kaphub/kaphub/fhir"

// conversationRules are part G: the conversation about a referral (rules.md).
var conversationRules = []Rule{
	{
		Code: "R54", Name: "task-anomalous", Severity: "S2", Owner: Admin, Gate: GateReferral,
		Asks:   "A referral's Task moved in a way that its guide does not know.",
		Source: "the prescriber's Task guide",
		judge:  taskAnomalous,
	},
	{
		Code: "R55", Name: "information-asked", Severity: "S3", Owner: Admin, Gate: GateEvaluation,
		Asks:   "The prescriber asked for more information.",
		Source: "the prescriber's Task",
		judge:  informationAsked,
	},
	{
		Code: "R56", Name: "alternative-proposed", Severity: "S3", Owner: Therapist, Gate: GateReferral,
		Asks:   "The prescriber proposed something else than what was asked for.",
		Source: "the prescriber's Task",
		judge:  alternativeProposed,
	},
}

// R04 referral-stalled
//
//	coordination Task                    evaluation, or a decision since   since        finding
//	accepted, in progress                booked, kept, or decided          –            none
//	accepted, in progress                none                              < 7 days     none
//	accepted, in progress                none                              7 and more   S3
//	accepted, in progress                none                              14 and more  S3, said again
//	anything else                        –                                 –            none
func referralStalled(f *facts) []Finding {
	task := f.task()
	if task == nil || !task.live() || f.laterDecision(nil, nil) != nil {
		return nil
	}
	going := func(t *fhir.Task) bool {
		status := t.Status.Code()
		return status == "accepted" || status == "in-progress" || status == "ready"
	}
	switch businessMeaning(f.businessStatus(task)) {
	case fhir.BusinessScheduled, fhir.BusinessVisited, fhir.BusinessDone:
		return nil
	}
	for i := range f.evaluations {
		if f.evaluations[i].done() || f.evaluations[i].standing() {
			return nil
		}
	}
	since, rules := task.since(going), f.policy.Rules
	if !going(task.Value) || rules.StallWarn == 0 || !f.clock.passed(since.Add(rules.StallWarn)) {
		return nil
	}
	words := f.prescriber() + " took the referral on " + f.on(since) + ", and no evaluation is booked"
	if f.clock.passed(since.Add(2 * rules.StallWarn)) {
		words = "Still no evaluation is booked: " + f.prescriber() + " took the referral on " + f.on(since)
	}
	return []Finding{found(S3, task.String(), words, "nudge the client to finish the intake and book", task.Version)}
}

// R55 information-asked
//
//	the prescriber …                                                      finding
//	waits for information, an intake or a consent, and decided since      none
//	waits for information                                                 S3, the practice's
//	waits for the client's intake or consent                              S3, the client's
//	opened a Task of the practice's or the client's, part of a referral   S3, whose it is
//	opened a Task of its own, or closed it                                none
func informationAsked(f *facts) (out []Finding) {
	for _, q := range f.asked() {
		who, next := "the practice", "send it, and close the question"
		if q.owner == Client {
			who, next = "the client", "help the client to answer"
		}
		out = append(out, found(S3, q.String(), f.prescriber()+" waits for "+who+" since "+f.on(q.since)+q.words, next, q.Version).by(q.owner))
	}
	return out
}

// R56 alternative-proposed
//
//	the prescriber proposed another service in place of the referral   finding
//	it stands, and no newer referral was made                          S3
//	revoked, or answered by a newer referral                           none
func alternativeProposed(f *facts) (out []Finding) {
	for _, r := range f.proposals() {
		out = append(out, found(S3, r.String(), f.prescriber()+" proposed something else on "+f.on(r.Recorded())+quoted(words(r.Value.Code, nil)),
			"refer anew, or tell "+f.prescriber()+" that the referral stands", r.Version))
	}
	return out
}
