package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// newcomer is somebody at a browser before a hub that is being set up.
type newcomer struct {
	t      *testing.T
	dir    string
	client *http.Client
	base   string
	code   string
	errors *bytes.Buffer // what serve wrote to stderr, once it stopped
	stop   func() int
}

// arrives starts kaphub serve in a directory and reads where it is, and with which code.
func arrives(t *testing.T, dir string) *newcomer {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	n := &newcomer{t: t, dir: dir, client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, errors: &bytes.Buffer{}}
	ctx, cancel := context.WithCancel(t.Context())
	heard, out := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		code := run(ctx, []string{"--config", filepath.Join(dir, "kaphub.yaml"), "--log", "debug", "serve"}, []string{"KAPHUB_LISTEN=127.0.0.1:0"}, strings.NewReader(""), out, n.errors)
		_ = out.Close()
		ended <- code
	}()
	lines := bufio.NewReader(heard)
	line, err := lines.ReadString('\n')
	if err != nil {
		t.Fatalf("serve said nothing: %v %s", err, n.errors.String())
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }() // it may say more
	n.base = strings.TrimSuffix(regexp.MustCompile(`http://[0-9.:]+`).FindString(line), ":")
	if m := regexp.MustCompile(`code: (\S+)`).FindStringSubmatch(line); m != nil {
		n.code = m[1]
	}
	stopped := false
	n.stop = func() int {
		if stopped {
			return 0
		}
		stopped = true
		cancel()
		return <-ended
	}
	t.Cleanup(func() { n.stop() })
	return n
}

func (n *newcomer) send(method, path, typ string, body []byte) (status int, to, text string) {
	n.t.Helper()
	r, err := http.NewRequestWithContext(n.t.Context(), method, n.base+path, bytes.NewReader(body))
	if err != nil {
		n.t.Fatal(err)
	}
	if typ != "" {
		r.Header.Set("Content-Type", typ)
	}
	res, err := n.client.Do(r)
	if err != nil {
		n.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	page, err := io.ReadAll(res.Body)
	if err != nil {
		n.t.Fatal(err)
	}
	return res.StatusCode, res.Header.Get("Location"), string(page)
}

func (n *newcomer) get(path string) (status int, to, text string) {
	return n.send(http.MethodGet, path, "", nil)
}

// types sends a form, and goes on from there.
func (n *newcomer) types(want int, path string, pairs ...string) (to, text string) {
	n.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	status, to, text := n.send(http.MethodPost, path, "application/x-www-form-urlencoded", []byte(form.Encode()))
	if status != want {
		n.t.Fatalf("%s is answered %d, want %d: %s", path, status, want, text)
	}
	return to, text
}

func (n *newcomer) uploads(file string) string {
	n.t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	part, err := m.CreateFormFile("roster", "roster.csv")
	if err == nil {
		_, err = io.WriteString(part, file)
	}
	if err != nil || m.Close() != nil {
		n.t.Fatal(err)
	}
	_, _, text := n.send(http.MethodPost, "/start/roster", m.FormDataContentType(), b.Bytes())
	return text
}

// next is the step that the first page leads to.
func (n *newcomer) next() string {
	n.t.Helper()
	_, to, _ := n.get("/")
	return strings.TrimPrefix(to, "/start/")
}

func roster38(prescriber string) string {
	text := "id,family,given,birth_date,chosen_name,state,prescriber,referred_on\n"
	for i := range 38 {
		text += fmt.Sprintf("%d,Quillon%d,Given,1970-01-%02d,Wren%d,CO,%s,2026-01-%02d\n", 100+i, i, 1+i%28, i, prescriber, 1+i%9)
	}
	return text
}

func TestTheFirstRunLeadsToAHubWith38Clients(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := arrives(t, dir)
	if n.code == "" {
		t.Fatal("no code is printed")
	}
	n.types(http.StatusSeeOther, "/start/code", "code", n.code)
	if _, text := n.types(http.StatusUnprocessableEntity, "/start/practice", "hub.name", "", "hub.time_zone", "Denver"); !strings.Contains(text, "is missing") || !strings.Contains(text, "is no time zone") {
		t.Errorf("not all is told at once: %s", text)
	}
	n.types(http.StatusSeeOther, "/start/practice", "hub.name", "Hill: House #1", "hub.time_zone", "America/Denver", "practice.contact", "12 Aspen Way\n303-555-0140", "practice.client_ways", "phone", "practice.client_ways", "email")
	n.types(http.StatusUnprocessableEntity, "/start/prescriber", "who~answer", "another", "npi", "12")
	n.types(http.StatusSeeOther, "/start/prescriber", "who~answer", "another", "title", "Dr. Élan & Partners", "npi", "1234567893", "phone", "303-555-0199")
	if n.code = ""; n.next() != "sheet" {
		t.Errorf("it goes on with %s", n.next())
	}

	n.stop() // left, and gone on with another day
	n = arrives(t, dir)
	n.types(http.StatusSeeOther, "/start/code", "code", n.code)
	if n.next() != "sheet" {
		t.Fatalf("it is gone on with at %s", n.next())
	}
	_, _, page := n.get("/start/sheet")
	sheet := []string{}
	for _, m := range regexp.MustCompile(`name="([^"]+~answer)" value="not asked"`).FindAllStringSubmatch(page, -1) {
		sheet = append(sheet, m[1], "not asked")
	}
	if _, text := n.types(http.StatusUnprocessableEntity, "/start/sheet", append(sheet, "prescribers[0].sheet.hours", "Mon-Fri nine to five")...); !strings.Contains(text, "are no hours") {
		t.Error(text)
	}
	if _, text := n.types(http.StatusUnprocessableEntity, "/start/sheet", append(sheet, "prescribers[0].sheet.heart_rate_limit", "100")...); !strings.Contains(text, "you wrote &#34;100&#34; and left “Not asked”") {
		t.Error("what was typed below “Not asked” is thrown away")
	}
	n.types(http.StatusSeeOther, "/start/sheet", append(sheet, "prescribers[0].sheet.hours", "Mon-Fri 09:00-17:00")...)

	_, _, page = n.get("/start/key")
	if _, _, again := n.get("/start/key"); again != page {
		t.Error("whoever comes back is shown another recovery key")
	}
	n.stop()
	n = arrives(t, dir)
	n.types(http.StatusSeeOther, "/start/code", "code", n.code)
	if _, _, page = n.get("/start/key"); !strings.Contains(page, "It is void") {
		t.Error("another recovery key is shown without a word")
	}
	var groups []string
	for _, m := range regexp.MustCompile(`<li><code>(\w+)</code>`).FindAllStringSubmatch(page, -1) {
		groups = append(groups, m[1])
	}
	if len(groups) != 14 {
		t.Fatalf("%d groups", len(groups))
	}
	n.types(http.StatusUnprocessableEntity, "/start/key", "a", groups[5], "b", groups[13])
	if _, err := os.Stat(filepath.Join(dir, "kaphub.key")); err == nil {
		t.Error("a key is kept whose paper was not read")
	}
	n.types(http.StatusSeeOther, "/start/key", "a", strings.ToLower(groups[4]), "b", groups[13])
	info, err := os.Stat(filepath.Join(dir, "kaphub.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatal(info, err)
	}

	const token = "s3cr3t-token"
	_, text := n.types(http.StatusUnprocessableEntity, "/start/records", "how~answer", "ehr", "base", "http://ehr.example.org", "token", token)
	if _, err := os.Stat(filepath.Join(dir, "secrets", "ehr")); err == nil || strings.Contains(text, token) {
		t.Error("a secret of what was refused is kept, or shown")
	}
	n.types(http.StatusSeeOther, "/start/records", "how~answer", "none")

	if text := n.uploads("name,born\nQuillon,1970\n"); !strings.Contains(text, "cannot be taken") || strings.Contains(text, "1970\n") {
		t.Error(text)
	}
	text = n.uploads(roster38("Dr. Élan &amp; Partners") + "999,Quillon,Given,tomorrow,,CO,dr-lan-partners,2026-01-01\n")
	if !strings.Contains(text, "Row 40 (999), birth_date") || !strings.Contains(text, "“tomorrow”: write the day like") {
		t.Error(text)
	}
	if text := n.uploads("Patient,Born\nQuillon,1970-01-01\n"); !strings.Contains(text, "column id is missing") || !strings.Contains(text, "Its first row says: Patient, Born") {
		t.Error(text)
	}
	export, err := os.ReadFile("../../connectors/folder/testdata/export.csv")
	if err != nil {
		t.Fatal(err)
	}
	if text := n.uploads(string(export)); !strings.Contains(text, "month-first") || strings.Contains(text, `name="us" value="yes" checked`) {
		t.Errorf("it is not proposed to read the days with the month first: %s", text)
	}
	_, text = n.types(http.StatusOK, "/start/roster", "us", "yes")
	for _, want := range []string{`name="us" value="yes" checked`, "Nobody would come in", "3 rows have no day of referral", "Row 5 (RV-1003), DOB", "“2/31/1980”: there is no such day", "not know it: Copay, Home Phone", ">E-mail Address<"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing: %s", want, text)
		}
	}
	n.types(http.StatusUnprocessableEntity, "/start/roster", "us", "yes", "all", "yes", "to", "dr-lan-partners", "on", "2999-01-01")
	n.types(http.StatusUnprocessableEntity, "/start/roster", "us", "yes", "all", "yes", "to", "nobody", "on", "2026-01-01")
	if _, text = n.types(http.StatusOK, "/start/roster", "us", "yes", "all", "yes", "to", "dr-lan-partners", "on", "2026-01-01"); !strings.Contains(text, "3 clients would come in") {
		t.Error(text)
	}
	if _, text = n.types(http.StatusUnprocessableEntity, "/start/roster", "do", "import"); !strings.Contains(text, "Nothing came in yet") {
		t.Errorf("what is not known is left out without a word: %s", text)
	}
	if text = n.uploads(roster38("Dr. Élan & Partners")); !strings.Contains(text, "38 clients would come in") {
		t.Fatal(text)
	}
	if _, text = n.types(http.StatusOK, "/start/roster", "do", "import"); !strings.Contains(text, "38 clients are in") {
		t.Fatal(text)
	}
	to, _ := n.types(http.StatusSeeOther, "/start/owner", "name", "Ann Owner", "login", "ann")
	if !strings.HasPrefix(to, "/invitation/") {
		t.Errorf("it ends at %s", to)
	}
	if status, _, text := n.get("/readyz"); status != http.StatusOK { // the same address, and the hub is there
		t.Errorf("%d %s", status, text)
	}
	n.stop()
	if log := n.errors.String(); strings.Contains(log, "Quillon") || strings.Contains(log, token) || strings.Contains(log, "Wren") {
		t.Errorf("the log says\n%s", log)
	}

	said := kaphub(t.Context(), nil, "--config", filepath.Join(dir, "kaphub.yaml"), "status", "--json")
	var board struct{ Clients []struct{ State string } }
	if err := json.Unmarshal([]byte(said.out), &board); err != nil || len(board.Clients) != 38 {
		t.Errorf("%d clients: %v %s", len(board.Clients), err, said.err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "kaphub.yaml.*")); err != nil || len(left) > 0 {
		t.Errorf("it leaves %v", left)
	}
	if again := arrives(t, dir); again.code != "" {
		t.Error("a hub that has a config is set up again")
	}
}

func TestAFirstRunBeginsNowhereElse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	said := kaphub(t.Context(), []string{"KAPHUB_LISTEN=0.0.0.0:0"}, "--config", filepath.Join(dir, "kaphub.yaml"), "serve")
	if said.code != exitError || !strings.Contains(said.err, "for this machine alone") {
		t.Errorf("%d %s", said.code, said.err)
	}
	if err := os.WriteFile(filepath.Join(dir, "kaphub.key"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	said = kaphub(t.Context(), []string{"KAPHUB_LISTEN=127.0.0.1:0"}, "--config", filepath.Join(dir, "kaphub.yaml"), "serve")
	if said.code != exitError || !strings.Contains(said.err, "there is no config") {
		t.Errorf("%d %s", said.code, said.err)
	}
}

// What is typed of whom Skylight is reached by goes to the sheet, and what belongs to the other answer is refused.
func TestNothingTypedAboutThePrescriberIsLost(t *testing.T) {
	t.Parallel()
	n := arrives(t, t.TempDir())
	n.types(http.StatusSeeOther, "/start/code", "code", n.code)
	n.types(http.StatusSeeOther, "/start/practice", "hub.name", "Hill House", "hub.time_zone", "America/Denver")
	for field, said := range map[string]string{"title": "you wrote", "npi": "is no NPI"} {
		if _, text := n.types(http.StatusUnprocessableEntity, "/start/prescriber", "who~answer", "skylight", field, "1234567890"); !strings.Contains(text, said) {
			t.Errorf("%s: %s", field, text)
		}
	}
	n.types(http.StatusSeeOther, "/start/prescriber", "who~answer", "skylight", "phone", "303-555-0177", "npi", "1234567893")
	for _, path := range []string{"/start/prescriber", "/start/sheet"} {
		if _, _, page := n.get(path); !strings.Contains(page, `value="303-555-0177"`) {
			t.Errorf("the phone is lost on %s", path)
		}
	}
	if _, _, page := n.get("/start/practice"); !strings.Contains(page, `<option value="America/Denver">Mountain</option>`) || !strings.Contains(page, "Time zone (required)") {
		t.Error("the time zones are to be guessed")
	}
	if _, _, page := n.get("/start/sheet"); strings.Count(page, "As their pages say, not agreed yet") != 2 || strings.Count(page, "From their public pages") != 5 {
		t.Error("what a public page says stands as agreed")
	}
	if _, _, page := n.get("/start/prescriber"); !strings.Contains(page, `value="1234567893"`) {
		t.Error("the NPI is lost")
	}
}
