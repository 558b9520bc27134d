package console

import (
	"errors"
	"io"
	"net/http"
)

// RosterAs is how a roster is read besides what stands in it.
type RosterAs struct {
	USDates bool
	All     bool   // a row that does not say it is of a client referred to To, on the day On
	To, On  string // a prescriber's key; 2026-01-31
}

// Intake is what a roster would bring, or brought.
type Intake struct {
	New, Changed, Same, Alone int
	Names                     []string // of the first, as they are called
	Taken                     []Fact   // the file's word for a column, and the hub's
	Left                      []string // the file's words above what is left out
	MonthFirst                bool     // every day in it can be read only with the month first, and is not yet
	Refused                   []Fact   // where, and what to do
	Wrong                     string   // why the file cannot be taken at all, or not yet
}

// Read reports whether there is something to be told of the file.
func (i Intake) Read() bool { return i.New+i.Changed+i.Same+i.Alone+len(i.Refused) > 0 || i.MonthFirst }

type rosterPage struct {
	startPage
	Columns     []Fact
	Prescribers []Fact // by key, and how they are called
	As          RosterAs
	Intake      Intake
	Seen        bool // a file was read
	Came        bool // … and brought in
	Today       string
}

func (s *starter) rosterPage(v *visit) (rosterPage, error) {
	p, err := s.page(v, "roster")
	if err != nil {
		return rosterPage{}, err
	}
	r := rosterPage{startPage: p, Columns: s.start.Columns(), Today: v.now.Format("2006-01-02")}
	if r.Prescribers, err = s.start.ReferredTo(v.ctx()); len(r.Prescribers) == 1 {
		r.As.To = r.Prescribers[0].Name
	}
	return r, err
}

func (s *starter) roster(v *visit) error {
	p, err := s.rosterPage(v)
	if err != nil {
		return err
	}
	return v.show("start-roster", p)
}

func (s *starter) takeRoster(v *visit) error {
	p, err := s.rosterPage(v)
	if err != nil {
		return err
	}
	if err := v.r.ParseMultipartForm(maxForm); err != nil && !errors.Is(err, http.ErrNotMultipart) {
		if _, over := errors.AsType[*http.MaxBytesError](err); over {
			return err
		}
		return &refusal{http.StatusBadRequest, "The file did not arrive whole", "Send it once more."}
	}
	form := v.r.PostFormValue
	p.As = RosterAs{USDates: form("us") != "", All: form("all") != "", To: form("to"), On: form("on")}
	switch form("do") {
	case "skip":
		if err := s.start.Skip(v.ctx(), "roster"); err != nil {
			return err
		}
		return v.to("/")
	case "import":
		p.Intake, err = s.start.Import(v.ctx(), form("leave") != "")
		p.Came = p.Intake.Wrong == ""
	default:
		var body []byte // nil: the file before, read otherwise
		file, _, none := v.r.FormFile("roster")
		if none == nil {
			defer func() { _ = file.Close() }()
			if body, err = io.ReadAll(file); err != nil {
				return err
			}
		}
		p.Intake, err = s.start.Roster(v.ctx(), body, p.As)
	}
	if err != nil {
		return err
	}
	p.Seen = !p.Came
	if p.Intake.Wrong != "" {
		return v.send(http.StatusUnprocessableEntity, "start-roster", p)
	}
	return v.show("start-roster", p)
}
