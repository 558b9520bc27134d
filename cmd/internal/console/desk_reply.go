package console

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/kaphub/kaphub/cmd/internal/entry"
	"github.com/kaphub/kaphub/connectors/desk"
)

// replyBox takes a prescriber's message. What was pasted is in the answer to it alone, and kept nowhere.
type replyBox struct {
	Path, Pasted, Wrong string
	Like                string       // what a block looks like, for whoever pasted none; "" = they did
	Others              []otherParty // the forms of those whom the message tells of
	Open                bool
}

// pasteReply fills the form of a decision from a prescriber's message, or says why it does not. It saves nothing.
func (v *visit) pasteReply() error {
	f, err := v.filled()
	if err != nil {
		return err
	}
	k := deskForms[slices.IndexFunc(deskForms, func(k deskKind) bool { return k.Kind == desk.KindDecision })]
	p, a, err := v.opened(k, v.who.Name, f.Get("prescriber"))
	if err != nil {
		return err
	}
	p.Entry, p.asked = desk.NewEntry(), k.ask(a, p.whole)
	pasted, err := a.Read(f.Get("reply"), func(text string) ([]entry.Called, error) { return v.Roster.Called(v.ctx(), text) })
	if err != nil {
		p.Reply.Pasted, p.Reply.Open = f.Get("reply"), true
		if err := v.unread(p.Reply, err); err != nil {
			return err
		}
		return v.showForm(http.StatusUnprocessableEntity, k, p)
	}
	if p.Reply.Others, err = v.formsOf(pasted.Others); err != nil {
		return err
	}
	var d entry.Decision
	d.Fill(pasted.Reply)
	answers := decisionAnswers(a, d, pasted.Reply)
	answers.Set("pasted", "y")
	p.asked = p.comparing(answers).filled(answers)
	if pasted.Nameless {
		p.Remarks = append(p.Remarks, "The message names no client: compare whom it is about, "+p.Subject.Shown()+".")
	}
	p.Remarks = append(p.Remarks, "Filled in from the message. The hub does not keep the message: leave it open beside this page, and compare each answer with it before you save.")
	if pasted.GoesOn {
		p.Remarks = append(p.Remarks, "Beside the block, or right below an answer, the message goes on. Those lines were not taken: look whether they belong to it.")
	}
	if pasted.Decider != "" {
		p.Remarks = append(p.Remarks, "The message says that it was decided by: "+pasted.Decider)
	}
	return v.showForm(http.StatusOK, k, p)
}

// unread says in the box why nothing was filled in.
func (v *visit) unread(box *replyBox, why error) (err error) {
	box.Wrong = sentence(why.Error()) + ". Nothing was filled in."
	if errors.Is(why, entry.ErrNoReply) {
		box.Wrong = "Nothing was filled in: the message has no reply block that is filled in. Enter by hand below what the message says; leave it open beside this page, as the hub does not keep it."
		box.Like = desk.ReplyLike
	}
	stranger, ok := errors.AsType[entry.Stranger](why)
	if !ok {
		return nil
	}
	if box.Others, err = v.formsOf(stranger.Keys); err != nil {
		return err
	}
	for _, key := range stranger.Keys { // who bears the name is told to those alone who may see them
		if !slices.ContainsFunc(box.Others, func(o otherParty) bool { return o.Title == key }) {
			stranger.Why = slices.Clone(stranger.Why)
			for i := range stranger.Why {
				stranger.Why[i] = strings.ReplaceAll(stranger.Why[i], " ("+key+")", "")
			}
		}
	}
	box.Wrong = "This message is not about this client: " + strings.Join(stranger.Why, ", ") + ". Nothing was filled in."
	return nil
}

// formsOf are the forms of clients for a decision, as far as there are such clients and whoever asks may see them.
func (v *visit) formsOf(keys []string) (forms []otherParty, err error) {
	for _, key := range keys {
		charts, err := v.Roster.Find(v.ctx(), v.who.Name, key)
		if err != nil && !errors.Is(err, ErrTooMany) {
			return nil, err
		}
		if err != nil || len(charts) != 1 || charts[0].Client != key {
			continue
		}
		switch err := v.mayMeet(key); {
		case errors.Is(err, strangeClient):
		case err != nil:
			return nil, err
		default:
			forms = append(forms, otherParty{"/clients/" + key + "/desk/decision", key})
		}
	}
	return forms, nil
}
