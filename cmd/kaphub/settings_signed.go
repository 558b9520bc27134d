package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kaphub/kaphub/cmd/internal/console"
	"github.com/kaphub/kaphub/config"
)

// signedAnew ends the path of the field that asks when a changed sheet was signed. The config has no such key: the day goes to
// its "signed".
const signedAnew = ".signed_anew"

// answerPublished is the answer of a line that was read on their public pages, in a sheet that nobody signed.
const answerPublished = "published"

// noTerms are the lines of a sheet that nobody signs: where they are reached, and what is public.
var noTerms = []string{"signed", "published", "signed_anew", "phone", "holidays", "time_zone", "medicine", "pharmacies"}

// askSigned asks when the sheet was signed with what is about to change, where one was signed or published before.
func askSigned(at string, signed config.Day, published config.Day) []console.Field {
	if signed.IsZero() && published.IsZero() {
		return nil // its own field is asked for
	}
	return []console.Field{{Path: strings.TrimSuffix(at, ".") + signedAnew, Label: "Where a term above changes: signed anew on", Kind: console.KindText,
		Hint: "Required when a term changes, and empty otherwise: the day on which they signed the sheet as it reads now, like 2026-01-10. Where you only set a slip right, the day that stands above."}}
}

// signed adds to the changes of a sheet the day on which it was signed with them. A changed term is shown "per agreement of" a
// day: it is never that of the agreement before, unless somebody says so.
//
//	a term changes   the day        "signed" or "published" typed otherwise   it is
//	no               –              –                                         as it was typed
//	yes              written        –                                         signed on that day
//	yes              empty          yes                                       as it was typed
//	yes              empty          no                                        wrong: the day is asked for
func signed(was console.Section, is *console.Section, changes []config.Edit) []config.Edit {
	i := slices.IndexFunc(is.Fields, func(f console.Field) bool { return strings.HasSuffix(f.Path, signedAnew) })
	if i < 0 {
		return changes
	}
	day := &is.Fields[i]
	sheet := strings.TrimSuffix(day.Path, signedAnew) + "."
	changes = slices.DeleteFunc(changes, func(e config.Edit) bool { return e.Path == day.Path })
	term := slices.ContainsFunc(changes, func(e config.Edit) bool {
		key, of := strings.CutPrefix(e.Path, sheet)
		key, _, _ = strings.Cut(key, "[")
		return of && !slices.Contains(noTerms, key)
	})
	dated := slices.ContainsFunc(changes, func(e config.Edit) bool {
		return e.Text != "" && (e.Path == sheet+"signed" || e.Path == sheet+"published")
	})
	switch {
	case day.Text != "":
		changes = slices.DeleteFunc(changes, func(e config.Edit) bool { return e.Path == sheet+"signed" })
		if now := config.Quoted(day.Text); now != config.Quoted(textOf(was, sheet+"signed")) {
			changes = append(changes, config.Edit{Path: sheet + "signed", Text: now})
		}
	case term && !dated:
		day.Wrong = append(day.Wrong, "a term changed: write the day on which they signed the sheet with it; where you only set a slip right, the day that stands")
	}
	return changes
}

// counts reports whether a field's value counts with an answer.
func counts(answer string) bool { return answer == console.AnswerSet || answer == answerPublished }

func hasAnswer(f *console.Field, answer string) bool {
	return slices.ContainsFunc(f.Answers, func(o console.Option) bool { return o.Value == answer })
}

// agreement marks the lines of a sheet that nobody signed so far where what is said of them does not fit to whether it is signed
// now: what was read on their pages is never taken as agreed because something else was signed.
//
//	a line is said to be    the sheet is signed    it is
//	as their pages say      no                     as their pages say
//	as their pages say      yes                    wrong: it is asked whether this was agreed, too
//	agreed                  no                     wrong: the day is asked for
//	agreed                  yes                    agreed
func agreement(is *console.Section) {
	day := ""
	for _, f := range is.Fields {
		if strings.HasSuffix(f.Path, ".sheet.signed") || strings.HasSuffix(f.Path, signedAnew) {
			day = or(day, f.Text)
		}
	}
	for i := range is.Fields {
		switch f := &is.Fields[i]; {
		case !hasAnswer(f, answerPublished):
		case f.Answer == answerPublished && day != "":
			f.Wrong = append(f.Wrong, fmt.Sprintf("you wrote that they signed on %s, and this was only read on their pages: choose “Agreed” if it was agreed, too, else “Not asked”", day))
		case f.Answer == console.AnswerSet && day == "":
			f.Wrong = append(f.Wrong, "is agreed, you say: write the day on which they agreed under “Signed on”")
		}
	}
}

// textOf is what a section's field says.
func textOf(s console.Section, path string) string {
	if f := fieldOf(&s, path); f != nil {
		return f.Text
	}
	return ""
}
