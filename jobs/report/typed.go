package report

import (
	"maps"

	"github.com/kaphub/kaphub/fhir/readiness"
)

// commands are what does a deed at the terminal.
var commands = map[readiness.Deed]string{
	readiness.ConfirmEntry: "record confirm", readiness.SayWhy: "record reason", readiness.EnterAfter: "record after", readiness.EnterHeld: "record after",
	readiness.EnterInPerson: "record decision --in-person", readiness.EnterAnswer: "record condition", readiness.OpenSealed: "sealed list",
	readiness.ReadAgain: "sync", readiness.OpenRejects: "rejects list", readiness.OpenLinks: "links", readiness.ReadMailbox: "record read-through",
	readiness.CheckSource: "check", readiness.CheckSending: "check", readiness.PrintPacket: "packet", readiness.EnterHanded: "deliveries handed-over",
	readiness.EnterOutcome: "deliveries settle", readiness.OpenRefused: "deliveries list --state refused", readiness.OpenStaged: "deliveries list --state staged",
}

// Commands returns what is typed after kaphub to do each deed.
func Commands() map[readiness.Deed]string { return maps.Clone(commands) }

// Typed adds to a next step what is typed to do it, for a reader at a terminal.
func Typed(next string) string {
	if command := commands[readiness.DeedOf(next)]; command != "" {
		return next + " (kaphub " + command + ")"
	}
	return next
}
