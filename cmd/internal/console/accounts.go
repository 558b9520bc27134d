package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir"
)

// Accounts is who may come in. *people.House is one.
type Accounts interface {
	Roll
	Switches
	Oneself
}

// Roll lists accounts, and says whose they are.
type Roll interface {
	Accounts(ctx context.Context) ([]people.Account, error)
	Account(ctx context.Context, id string) (people.Account, error)
	Invite(ctx context.Context, actor string, of people.Profile) (people.Account, people.Invitation, error)
	Change(ctx context.Context, actor, id string, to people.Profile) (people.Account, error)
}

// Switches shut and open accounts.
type Switches interface {
	Disable(ctx context.Context, actor, id string) (people.Account, error)
	Enable(ctx context.Context, actor, id string) (people.Account, error)
	Reset(ctx context.Context, actor, id string, lost people.Lost) (people.Account, people.Invitation, error)
}

// Staff knows the practice's therapists.
type Staff interface {
	// Known returns who they are, as far as the records of all clients tell.
	Known(ctx context.Context) (*people.Known, error)
	// Treating returns the therapists of each client, by key, as the newest verdicts name them.
	Treating(ctx context.Context) (map[string][]fhir.Therapist, error)
	// Phone is the practice's own number, "" when none is on file.
	Phone() string
}

// owning is whose the accounts are.
var owning = []people.Role{people.Owner}

func (c *Console) accountsRoutes() []route {
	return []route{
		{Pattern: "GET /accounts", May: owning, do: (*visit).accountsPage},
		{Pattern: "POST /accounts", May: owning, do: (*visit).invite},
		{Pattern: "GET /accounts/{account}", May: owning, do: (*visit).oneAccount},
		{Pattern: "POST /accounts/{account}", May: owning, do: (*visit).changeAccount},
		{Pattern: "GET /accounts/{account}/{what}", May: owning, do: (*visit).askToSwitch},
		{Pattern: "POST /accounts/{account}/{what}", May: owning, do: (*visit).switchAccount},
	}
}

// accountsPage is everybody who may come in, and a form for one more.
type accountsPage struct {
	frame
	Accounts  []accountRow
	Unclaimed []people.Unclaimed // therapists whom no account is
	Form      profileForm
}

// Clients says how many clients no therapist sees because of it.
func (p accountsPage) Clients(n int) string { return count(n, "client", "clients") }

// accountRow is an account as an owner sees it.
type accountRow struct {
	people.Account
	State string
	frame frame
}

// LastIn is when they signed in last.
func (r accountRow) LastIn() string { return r.frame.Clock(r.Seen) }

func (f frame) account(a people.Account) accountRow {
	r := accountRow{Account: a, frame: f}
	switch {
	case a.Disabled:
		r.State = "Disabled"
	case !a.Invited.IsZero():
		r.State = "Invited until " + f.Clock(a.Invited)
	case !a.Ready:
		r.State = "Invitation over: invite again"
	case !a.Enrolled:
		r.State = "No second factor yet: asked for at sign-in"
	default:
		r.State = "In use"
	}
	return r
}

// profileForm is what is written of a person.
type profileForm struct {
	people.Profile
	Choices []roleChoice
	Named   []string // the therapists' names to choose from
	Other   string   // a name that is none of them
	Number  string   // the numbers, as they are typed
	Wrong   []string
}

type roleChoice struct {
	people.Role
	Chosen bool
}

// form fills a form with a profile, and with what there is to choose from.
func (v *visit) form(of people.Profile, wrong []string) (profileForm, error) {
	f := profileForm{Profile: of, Wrong: wrong}
	for _, r := range people.Roles() {
		f.Choices = append(f.Choices, roleChoice{r, slices.Contains(of.Roles, r)})
	}
	known, err := v.Staff.Known(v.ctx())
	if err != nil {
		return f, err
	}
	f.Named = known.Named()
	for _, id := range of.Numbers {
		f.Number += id.Token() + " "
	}
	f.Number = strings.TrimSpace(f.Number)
	if !slices.Contains(f.Named, of.Therapist) {
		f.Other = of.Therapist
	}
	return f, nil
}

// profile is the profile that a form was sent with.
func (v *visit) profile() (people.Profile, error) {
	if err := v.r.ParseForm(); err != nil {
		return people.Profile{}, unread(err)
	}
	get := func(name string) string { return strings.TrimSpace(v.r.PostForm.Get(name)) }
	p := people.Profile{Login: get("login"), Name: get("name"), Email: get("email"), Therapist: get("therapist")}
	if other := get("other"); other != "" {
		p.Therapist = other
	}
	for _, r := range v.r.PostForm["role"] {
		p.Roles = append(p.Roles, people.Role(r))
	}
	for word := range strings.FieldsFuncSeq(get("number"), func(r rune) bool { return r == ' ' || r == ',' || r == ';' }) {
		id, ok := fhir.ParseID(word)
		if !ok {
			id = fhir.ID{Value: word} // which is said to be none
		}
		p.Numbers = append(p.Numbers, id)
	}
	if !slices.Contains(p.Roles, people.Therapist) {
		p.Therapist, p.Numbers = "", nil
	}
	return p, nil
}

// profileWrong is what is wrong with a profile, line by line; nil when err is not about it.
func profileWrong(p people.Profile, err error) []string {
	if wrong := p.Check(); wrong != nil {
		err = wrong
	} else if !errors.Is(err, people.ErrTaken) && !errors.Is(err, people.ErrLastOwner) {
		return nil
	}
	var lines []string
	for _, line := range strings.Split(err.Error(), "\n") {
		lines = append(lines, spoken(line))
	}
	return lines
}

func (v *visit) accountsPage() error {
	return v.showAccounts(http.StatusOK, people.Profile{}, nil)
}

func (v *visit) showAccounts(status int, of people.Profile, wrong []string) error {
	all, err := v.Accounts.Accounts(v.ctx())
	if err != nil {
		return err
	}
	known, err := v.Staff.Known(v.ctx())
	if err != nil {
		return err
	}
	p := accountsPage{frame: v.frame("Accounts"), Unclaimed: known.Unclaimed(all)}
	for _, a := range all {
		p.Accounts = append(p.Accounts, p.account(a))
	}
	slices.SortFunc(p.Accounts, func(a, b accountRow) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	if p.Form, err = v.form(of, wrong); err != nil {
		return err
	}
	return v.send(status, "accounts", p)
}

// handedPage shows an invitation, this once.
type handedPage struct {
	frame
	people.Account
	Link  string
	Here  bool // only this machine reaches the hub
	Until time.Time
}

// handOver shows an invitation. It stands in the answer itself, and is kept nowhere.
func (v *visit) handOver(a people.Account, inv people.Invitation) error {
	return v.show("invited", handedPage{frame: v.frame("Invitation"), Account: a, Link: v.reached() + people.InvitePath + inv.Token, Here: v.Public == "", Until: inv.Until})
}

// reached is the address under which people reach the hub, with which a link begins: where none is set, only this machine does, and
// by the name that it was asked for.
func (v *visit) reached() string {
	if v.Public != "" {
		return v.Public
	}
	return "http://" + v.r.Host
}

func (v *visit) invite() error {
	of, err := v.profile()
	if err != nil {
		return err
	}
	a, inv, err := v.Accounts.Invite(v.ctx(), v.who.Name, of)
	if wrong := profileWrong(of, err); err != nil && wrong != nil {
		return v.showAccounts(http.StatusUnprocessableEntity, of, wrong)
	}
	if err != nil {
		return err
	}
	return v.handOver(a, inv)
}

// oneAccountPage is one account, as an owner changes it.
type oneAccountPage struct {
	frame
	accountRow
	Form profileForm
	Own  bool // the visitor's
}

func (v *visit) oneAccount() error { return v.showOne(http.StatusOK, nil, nil) }

func (v *visit) showOne(status int, written *people.Profile, wrong []string) error {
	a, err := v.Accounts.Account(v.ctx(), v.r.PathValue("account"))
	if err != nil {
		return accountError(err)
	}
	f := v.frame(a.Name)
	p := oneAccountPage{frame: f, accountRow: f.account(a), Own: a.ID == v.who.ID}
	of := people.Profile{Login: a.Login, Name: a.Name, Roles: a.Roles, Therapist: a.Therapist, Numbers: a.Numbers, Email: a.Email}
	if written != nil {
		of = *written
	}
	if p.Form, err = v.form(of, wrong); err != nil {
		return err
	}
	return v.send(status, "one_account", p)
}

var noAccount = &refusal{http.StatusNotFound, "There is no such account", "Go to Accounts and start from there."}

func accountError(err error) error {
	if errors.Is(err, people.ErrNoAccount) {
		return noAccount
	}
	return err
}

func (v *visit) changeAccount() error {
	to, err := v.profile()
	if err != nil {
		return err
	}
	id := v.r.PathValue("account")
	a, err := v.Accounts.Change(v.ctx(), v.who.Name, id, to)
	if wrong := profileWrong(to, err); err != nil && wrong != nil {
		return v.showOne(http.StatusUnprocessableEntity, &to, wrong)
	}
	if err != nil {
		return accountError(err)
	}
	v.say(a.Name + " is changed. With other roles they sign in again.")
	return v.to("/accounts/" + id)
}

// gravePage asks once more before an account is shut or reset: either ends what somebody is in the midst of.
type gravePage struct {
	frame
	grave
	ID, What string
	Own      bool // the visitor's
}

// grave is what is asked about, and what would happen.
type grave struct{ Asks, Says, Does string }

var graves = map[string]grave{
	"disable":       {"Shut the account of %s?", "Their sessions end at once, and nobody comes in by it. What they did stays on record, under their name. It can be opened again, with the password and second factor they have now.", "Disable"},
	"lost-password": {"Has %s lost the password?", "Their sessions and their password end, and you are given a new invitation for them, this once. The second factor stays as it is. Be sure that it is they who ask.", "End the password and invite again"},
	"lost-phone":    {"Has %s lost the phone?", "Their sessions, their password, the second factor and its recovery codes end, and you are given a new invitation for them, this once. Whoever holds that invitation is let in: be sure that it is they who ask.", "End all of it and invite again"},
}

func (v *visit) askToSwitch() error {
	what := v.r.PathValue("what")
	g, ok := graves[what]
	if !ok {
		return missing
	}
	a, err := v.Accounts.Account(v.ctx(), v.r.PathValue("account"))
	if err != nil {
		return accountError(err)
	}
	g.Asks = fmt.Sprintf(g.Asks, a.Name)
	return v.show("grave", gravePage{frame: v.frame("Accounts"), grave: g, ID: a.ID, What: what, Own: a.ID == v.who.ID})
}

// switchAccount shuts, opens, resets an account, or ends its sessions.
func (v *visit) switchAccount() error {
	id, actor := v.r.PathValue("account"), v.who.Name
	var a people.Account
	var inv people.Invitation
	var err error
	var said string
	switch v.r.PathValue("what") {
	case "disable":
		a, err = v.Accounts.Disable(v.ctx(), actor, id)
		said = " is disabled: nobody comes in by it any more. What they did stays on record."
	case "enable":
		a, err = v.Accounts.Enable(v.ctx(), actor, id)
		said = " may come in again, with the password and second factor they had."
	case "sign-out":
		a, err = v.Accounts.SignOut(v.ctx(), actor, id)
		said = " is signed out everywhere."
	case "lost-password":
		a, inv, err = v.Accounts.Reset(v.ctx(), actor, id, people.LostPassword)
	case "lost-phone":
		a, inv, err = v.Accounts.Reset(v.ctx(), actor, id, people.LostPhone)
	default:
		return missing
	}
	if errors.Is(err, people.ErrLastOwner) || errors.Is(err, people.ErrDisabled) || errors.Is(err, people.ErrTaken) {
		return v.showOne(http.StatusUnprocessableEntity, nil, []string{spoken(err.Error())})
	}
	if err != nil {
		return accountError(err)
	}
	if inv.Token != "" {
		return v.handOver(a, inv)
	}
	v.say(a.Name + said)
	return v.to("/accounts/" + id)
}
