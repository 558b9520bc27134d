package console

import (
	"bytes"
	"context"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/people"
)

// beginning is an invented first run, and what it took.
type beginning struct {
	done     map[string]bool
	keys     int
	void     bool
	kept     bool
	as       RosterAs
	roster   []byte
	imported bool
	owner    people.Profile
}

func (b *beginning) Steps(context.Context) ([]Step, error) {
	return []Step{
		{Key: "practice", Title: "Practice", Done: b.done["practice"], Open: true},
		{Key: "key", Title: "Key", Done: b.kept, Open: b.done["practice"]},
		{Key: "roster", Title: "Your clients", Done: b.imported, Open: b.kept},
		{Key: "owner", Title: "You", Open: b.kept},
	}, nil
}

func (b *beginning) Form(context.Context, string) (Section, error) {
	return Section{Fields: []Field{{Path: "hub.name", Label: "Name", Kind: KindText}, {Path: "token", Label: "Token", Kind: KindSecret}}}, nil
}

func (b *beginning) Take(_ context.Context, step string, form url.Values) (Section, error) {
	s, err := b.Form(nil, step) //nolint:staticcheck // an invented one
	s.Fields[0].Text = form.Get("hub.name")
	if s.Fields[0].Text == "" {
		s.Fields[0].Wrong = []string{"is missing"}
		return s, err
	}
	b.done[step] = true
	return s, err
}

func (b *beginning) Recovery(context.Context) (string, bool, error) {
	b.keys++
	return strings.Repeat("AB12-", 13) + "ZZ99", b.void, nil
}

func (b *beginning) KeepKey(_ context.Context, groups []string) error {
	if groups[0] != "AB12" || groups[1] != "ZZ99" {
		return ErrTyped
	}
	b.kept = true
	return nil
}

func (b *beginning) Roster(_ context.Context, file []byte, as RosterAs) (Intake, error) {
	b.as = as
	if file != nil {
		b.roster = file
	}
	if b.roster == nil {
		return Intake{Wrong: "Choose the file first."}, nil
	}
	return Intake{New: 38, Names: []string{"Wren"}, Refused: []Fact{{"Row 40, birth_date", "write the day like 1988-02-28"}}}, nil
}

func (b *beginning) Skip(_ context.Context, step string) error {
	b.done[step] = true
	return nil
}

func (b *beginning) ReferredTo(context.Context) ([]Fact, error) {
	return []Fact{{"skylight", "Skylight"}}, nil
}

func (b *beginning) Import(context.Context, bool) (Intake, error) {
	b.imported = true
	return Intake{New: 38}, nil
}

func (b *beginning) Columns() []Fact { return []Fact{{"id", "needed"}, {"family", "needed"}} }

func (b *beginning) Finish(_ context.Context, owner people.Profile) (string, error) {
	b.owner = owner
	return "/invitation/token", nil
}

// visitor is a browser at a first run.
type visitor struct {
	t       *testing.T
	handler http.Handler
	cookie  *http.Cookie
	host    string
}

func (v *visitor) ask(method, path, typ string, body []byte) answerTo {
	v.t.Helper()
	r := httptest.NewRequestWithContext(v.t.Context(), method, path, bytes.NewReader(body))
	r.Host = v.host
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if typ != "" {
		r.Header.Set("Content-Type", typ)
	}
	if v.cookie != nil {
		r.AddCookie(v.cookie)
	}
	rec := httptest.NewRecorder()
	v.handler.ServeHTTP(rec, r)
	res := rec.Result()
	defer res.Body.Close()
	for _, c := range res.Cookies() {
		v.cookie = c
	}
	return answerTo{res, rec.Body.String()}
}

func (v *visitor) get(path string) answerTo { return v.ask(http.MethodGet, path, "", nil) }

func (v *visitor) post(path string, pairs ...string) answerTo {
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return v.ask(http.MethodPost, path, "application/x-www-form-urlencoded", []byte(form.Encode()))
}

func (v *visitor) upload(body string) answerTo {
	v.t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for name, value := range map[string]string{"us": "y", "to": "aurora", "on": "2026-01-02"} {
		if err := m.WriteField(name, value); err != nil {
			v.t.Fatal(err)
		}
	}
	part, err := m.CreateFormFile("roster", "roster.csv")
	if err == nil {
		_, err = part.Write([]byte(body))
	}
	if err != nil || m.Close() != nil {
		v.t.Fatal(err)
	}
	return v.ask(http.MethodPost, "/start/roster", m.FormDataContentType(), b.Bytes())
}

const startCode = "ABCD-EFGH"

func firstRun(t *testing.T) (*visitor, *beginning, *bytes.Buffer) {
	t.Helper()
	b, log := &beginning{done: map[string]bool{}}, &bytes.Buffer{}
	h, err := NewStart(b, startCode, func() time.Time { return now }, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t: t, handler: h, host: "127.0.0.1:8080"}, b, log
}

func TestTheFirstRunIsForWhoReadsTheCode(t *testing.T) {
	v, _, _ := firstRun(t)
	for _, path := range []string{"/", "/start/practice", "/start/key", "/start/owner"} {
		if a := v.get(path); !strings.Contains(a.body, `name="code"`) || strings.Contains(a.body, "start-form") {
			t.Errorf("%s is shown to somebody without the code", path)
		}
	}
	if a := v.post("/start/practice", "hub.name", "X"); !strings.Contains(a.body, `name="code"`) {
		t.Error("a form is taken without the code")
	}
	if a := v.post("/start/code", "code", "ABCD-EFGX"); a.StatusCode != http.StatusForbidden {
		t.Error(a.StatusCode)
	}
	if a := v.post("/start/code", "code", " abcd efgh"); a.StatusCode != http.StatusSeeOther || v.cookie == nil || !v.cookie.HttpOnly {
		t.Fatal(a.StatusCode)
	}
	other := &visitor{t: t, handler: v.handler, host: v.host}
	if a := other.post("/start/code", "code", startCode); a.StatusCode != http.StatusForbidden || !a.has("code-over") {
		t.Error("the code let in a second browser")
	}
	if a := v.get("/start/practice"); !a.has("start-form") {
		t.Error(a.body)
	}
}

func TestTheCodeCannotBeGuessed(t *testing.T) {
	v, _, _ := firstRun(t)
	for range codeTries {
		v.post("/start/code", "code", "AAAA-AAAA")
	}
	if a := v.post("/start/code", "code", startCode); a.StatusCode != http.StatusForbidden || !a.has("code-over") {
		t.Error("it can be tried for ever")
	}
}

func TestTheFirstRunIsForThisMachine(t *testing.T) {
	v, _, _ := firstRun(t)
	for _, host := range []string{"evil.example:8080", "10.0.0.7:8080", "hub.example.org"} {
		v.host = host
		if a := v.get("/"); a.StatusCode != http.StatusMisdirectedRequest {
			t.Errorf("%s is answered %d", host, a.StatusCode)
		}
	}
	for _, host := range []string{"localhost:8080", "127.0.0.1", "[::1]:8080"} {
		v.host = host
		if a := v.get("/"); a.StatusCode != http.StatusOK {
			t.Errorf("%s is answered %d", host, a.StatusCode)
		}
	}
}

func TestTheFirstRunFromTheFirstStepToTheLast(t *testing.T) {
	v, b, log := firstRun(t)
	v.post("/start/code", "code", startCode)
	if a := v.get("/start/key"); a.StatusCode != http.StatusNotFound {
		t.Errorf("a step is open before its time: %d", a.StatusCode)
	}
	if a := v.post("/start/practice", "hub.name", "", "token", "s3cr3t"); a.StatusCode != http.StatusUnprocessableEntity || !a.has("wrong-here") || strings.Contains(a.body, "s3cr3t") {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	v.post("/start/practice", "hub.name", "Hill House")
	if a := v.get("/"); a.Header.Get("Location") != "/start/key" {
		t.Fatal(a.Header.Get("Location"))
	}
	if a := v.get("/start/key"); strings.Count(a.body, "AB12") != 13 || !strings.Contains(a.body, "ZZ99") {
		t.Error(a.body)
	}
	if a := v.post("/start/key", "do", "type"); strings.Contains(a.body, "ZZ99") {
		t.Error("the recovery key stands where it is to be typed")
	}
	if a := v.post("/start/key", "a", "AB12", "b", "ZZ98"); a.StatusCode != http.StatusUnprocessableEntity || b.kept {
		t.Error(a.StatusCode)
	}
	v.post("/start/key", "a", "AB12", "b", "ZZ99")
	if a := v.get("/start/key"); strings.Contains(a.body, "ZZ99") || b.keys != 1 {
		t.Error("the recovery key is shown twice")
	}
	const secret = "Quillon"
	if a := v.upload("id,family\n1," + secret + "\n"); a.StatusCode != http.StatusOK || !a.has("looked") || !a.has("refused") || b.imported {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	if want := (RosterAs{USDates: true, To: "aurora", On: "2026-01-02"}); b.as != want {
		t.Errorf("the roster is read as %+v, want %+v", b.as, want)
	}
	if !strings.Contains(string(b.roster), secret) || strings.Contains(log.String(), secret) {
		t.Error("the file did not arrive, or the log has it")
	}
	if a := v.post("/start/roster", "do", "import"); !a.has("came") || !b.imported {
		t.Error(a.body)
	}
	if a := v.post("/start/owner", "name", "", "login", "ann"); a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.body, `value="ann"`) {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	if a := v.post("/start/owner", "name", "Ann", "login", "ann", "sees", "yes", "therapist", "Ann Lee"); a.Header.Get("Location") != "/invitation/token" || b.owner.Therapist != "Ann Lee" {
		t.Errorf("%s %+v", a.Header.Get("Location"), b.owner)
	}
}

// endless is a body that must not be read to its end.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	e.read += len(p)
	return len(p), nil
}

func TestAFileThatIsTooLongIsRefusedEarly(t *testing.T) {
	v, b, _ := firstRun(t)
	v.post("/start/code", "code", startCode)
	v.post("/start/practice", "hub.name", "Hill House")
	b.kept = true
	for _, length := range []int64{1 << 30, -1} { // said before, and not said
		body := &endless{}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/start/roster", body)
		r.Host, r.ContentLength = v.host, length
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
		r.AddCookie(v.cookie)
		rec := httptest.NewRecorder()
		v.handler.ServeHTTP(rec, r)
		if rec.Code < 400 || body.read > 4*maxForm || length > 0 && (rec.Code != http.StatusRequestEntityTooLarge || body.read > 0) {
			t.Errorf("of length %d: %d after %d bytes", length, rec.Code, body.read)
		}
	}
}
