package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/user"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"golang.org/x/term"
)

// The exit codes (design.md section 7).
const (
	exitWell   = 0
	exitError  = 1
	exitUnwell = 3 // a source failed or is stale, or something did not arrive
)

// errUnwell is what a command answers when it did its work, but a source failed or is stale, or a delivery did not arrive.
var errUnwell = errors.New("not all is well")

// cli is what a user types.
type cli struct {
	Config    string `short:"c" placeholder:"FILE" help:"The config (kaphub.yaml, or KAPHUB_CONFIG)."`
	Log       string `enum:"debug,info,warn,error" default:"warn" help:"How much to log to stderr: debug, info, warn or error."`
	LogFormat string `enum:"text,json" default:"text" help:"How to log: text or json."`

	ShowVersion kong.VersionFlag `name:"version" help:"Which kaphub this is."`

	Demo   demoCommand   `cmd:"" group:"Begin:" help:"See it run: an invented practice and prescriber on this machine, and the whole cycle between them."`
	Init   initCommand   `cmd:"" group:"Begin:" help:"Write kaphub.yaml and a key file; overwrites nothing."`
	Check  checkCommand  `cmd:"" group:"Begin:" help:"Check config, key, schedules and every counterpart."`
	Import importCommand `cmd:"" group:"Begin:" help:"Go live: bring in the clients of a CSV roster, and what was verified on paper of each."`

	Sync  syncCommand  `cmd:"" group:"Run:" help:"Pull, reconcile and push once. Exits 0 all well, 1 error, 3 a source failed or is stale, or something did not arrive."`
	Serve serveCommand `cmd:"" group:"Run:" help:"Keep the schedules and the queue, and answer /healthz, /readyz and /metrics."`
	Run   runCommand   `cmd:"" group:"Run:" help:"Run one job by hand; twice does no harm."`

	Status   statusCommand   `cmd:"" group:"Look:" help:"The board: every client's verdict."`
	Explain  explainCommand  `cmd:"" group:"Look:" help:"Every gate of a client, what it rests on and who must act."`
	Report   reportCommand   `cmd:"" group:"Look:" help:"The reconciliation report."`
	Findings findingsCommand `cmd:"" group:"Look:" help:"What the rules found: list, show, acknowledge, snooze, assign, release."`
	Rules    rulesCommand    `cmd:"" group:"Look:" help:"Every rule: what it asks, where it comes from, and its present settings."`

	Record    recordCommand    `cmd:"" group:"Enter and send by hand:" help:"Enter by hand what came by e-mail, phone or letter, and what the practice sees itself."`
	Questions questionsCommand `cmd:"" group:"Enter and send by hand:" help:"Draft the day's questions to each prescriber, with a reply block; a person sends them."`
	Packet    packetCommand    `cmd:"" group:"Enter and send by hand:" help:"Print the referral packets for prescribers whom no connector reaches."`

	Deliveries  deliveriesCommand  `cmd:"" group:"Settle:" help:"What was sent, under which release, and with which answer."`
	Links       linksCommand       `cmd:"" group:"Settle:" help:"Who is who: which record elsewhere is, or may be, which client's."`
	Rejects     rejectsCommand     `cmd:"" group:"Settle:" help:"Records that could not be read."`
	Sealed      sealedCommand      `cmd:"" group:"Settle:" help:"Records that arrived out of scope, for the privacy officer."`
	Notices     noticesCommand     `cmd:"" group:"Settle:" help:"Who was told by mail that there is something to act on, and when."`
	Disclosures disclosuresCommand `cmd:"" group:"Settle:" help:"To whom something of a client was told: the accounting of disclosures, and what people told by phone."`

	Audit   auditCommand   `cmd:"" group:"Keep:" help:"The audit log."`
	Keys    keysCommand    `cmd:"" group:"Keep:" help:"The keys by which the hub proves who it is to SMART servers: make, list and rotate them."`
	User    userCommand    `cmd:"" group:"Keep:" help:"Who may come in to the console: add, list, roles, reset, disable, enable."`
	Backup  backupCommand  `cmd:"" group:"Keep:" help:"Write an encrypted and signed copy of the store."`
	Restore restoreCommand `cmd:"" group:"Keep:" help:"Make a store from a backup; overwrites nothing."`
	Version versionCommand `cmd:"" group:"Keep:" help:"Which kaphub this is."`
}

// scene is where a command acts: everything of the process that it may touch.
type scene struct {
	cli         *cli
	environment []string
	in          io.Reader
	out, err    io.Writer
	log         *slog.Logger
	now         func() time.Time
	keyless     bool // a connector's signing key may be missing: it is about to be made
}

// run is kaphub: it parses args, does what they say and returns the exit code. Every failure ends in one sentence on stderr.
func run(ctx context.Context, args, environment []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return runAt(ctx, time.Now, args, environment, stdin, stdout, stderr)
}

// runAt is run on a clock.
func runAt(ctx context.Context, now func() time.Time, args, environment []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var c cli
	code, left := exitWell, false
	parser, err := kong.New(&c, kong.Name("kaphub"), kong.Writers(stdout, stderr),
		kong.Description("The hub between a therapy practice and its prescribers."),
		kong.Vars{"version": version()},
		kong.Exit(func(n int) { code, left = n, true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}))
	if err != nil {
		return fail(stderr, err)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	switch {
	case left: // help was asked for and printed
		return code
	case err != nil:
		return fail(stderr, misread(err))
	}
	s := &scene{cli: &c, environment: environment, in: stdin, out: stdout, err: stderr, now: now, log: logger(&c, stderr)}
	if c.Config == "" {
		c.Config = "kaphub.yaml"
		if file := s.getenv("KAPHUB_CONFIG"); file != "" {
			c.Config = file
		}
	}
	command.BindTo(ctx, (*context.Context)(nil))
	switch err := command.Run(s); {
	case err == nil:
		return exitWell
	case errors.Is(err, errUnwell):
		fail(stderr, err)
		return exitUnwell
	default:
		return fail(stderr, err)
	}
}

// misread says what of the command line was not understood, and which help tells how it is meant.
func misread(err error) error {
	if e, ok := errors.AsType[*kong.ParseError](err); ok && e.Context != nil {
		if one := e.Context.Selected(); one != nil {
			return fmt.Errorf("%w: kaphub %s --help says what it takes", err, one.Path())
		}
	}
	return fmt.Errorf("%w: kaphub --help lists the commands", err)
}

func fail(stderr io.Writer, err error) int {
	if errors.Is(err, syscall.EPIPE) { // whoever read along has seen enough
		return exitError
	}
	_, _ = fmt.Fprintln(stderr, "kaphub: "+sentence(err))
	return exitError
}

func logger(c *cli, to io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.Log)) // kong let only levels in
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(to, options))
	}
	return slog.New(slog.NewTextHandler(to, options))
}

func (s *scene) getenv(name string) string {
	for _, pair := range s.environment {
		if value, ok := strings.CutPrefix(pair, name+"="); ok {
			return value
		}
	}
	return ""
}

// printf writes to the user; a closed pipe is their business.
func (s *scene) printf(format string, args ...any) { _, _ = fmt.Fprintf(s.out, format, args...) }

// terminal returns the width of the terminal that w is, and whether it is one.
func terminal(w any) (width int, ok bool) {
	file, isFile := w.(interface{ Fd() uintptr })
	if !isFile || !term.IsTerminal(int(file.Fd())) { //nolint:gosec // file descriptors are small
		return 0, false
	}
	width, _, err := term.GetSize(int(file.Fd())) //nolint:gosec // as above
	if err != nil {
		return 0, true
	}
	return width, true
}

// saidBy is who the audit log names where a person gives another name than this machine's: that one, and who typed.
func saidBy(by string) string {
	typist := actor()
	if by = strings.Join(strings.Fields(by), " "); by == "" || by == typist {
		return typist
	}
	return by + " (" + typist + ")"
}

// actor is who the audit log says did it: the operator's name on this machine.
func actor() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return "operator " + u.Username
	}
	return "operator"
}
