package main

import (
	"slices"
	"strings"

	"github.com/kaphub/kaphub/connectors"
)

// claimed are claims as lines for a person. What is well is told in one line, and what nobody says anything of in none.
func claimed(claims []connectors.Claim) []checked {
	var lines []checked
	var well []string
	for _, c := range claims {
		switch {
		case c.Verdict == "works":
			well = append(well, c.Claim+" "+c.Sent)
		case c.Verdict != "unknown" || c.Next != "":
			line := checked{Level: c.Verdict, About: "auth " + c.Claim, Text: "sent " + c.Sent + "; expected " + c.Expected}
			if c.Verdict == "unknown" {
				line.Level = "degrades"
			}
			if c.Next != "" {
				line.Text += ": " + c.Next
			}
			lines = append(lines, line)
		}
	}
	if len(well) > 0 {
		lines = slices.Insert(lines, 0, checked{Level: "works", About: "auth", Text: strings.Join(well, "; ")})
	}
	return lines
}
