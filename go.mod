module github.com/kaphub/kaphub

go 1.26.0

require (
	charm.land/lipgloss/v2 v2.0.6 // tables and colours at a terminal, wide characters included
	github.com/Shopify/toxiproxy/v2 v2.12.0 // tests only: faults between the hub and both sides
	github.com/alecthomas/kong v1.17.0 // the command line from typed structs
	github.com/alexedwards/scs/v2 v2.9.0 // sessions of the console: renewal against fixation, idle time, a store of our own
	github.com/arran4/golang-ical v0.3.4 // the content lines of a calendar; the kept-up one, and emersion/go-ical panics on a cut line
	github.com/caarlos0/env/v11 v11.4.2 // secrets and overrides from the environment
	github.com/chromedp/cdproto v0.159.0 // tests only: what chromedp speaks
	github.com/chromedp/chromedp v0.23.0 // tests only: the console in a real browser
	github.com/go-jose/go-jose/v4 v4.1.8 // keys, key sets and signed assertions for SMART Backend Services
	github.com/go-resty/resty/v2 v2.17.2 // fixed by the owner; only in connectors/internal/rest
	github.com/goccy/go-yaml v1.19.2 // YAML with positions, so that every mistake has its line
	github.com/jackc/pgx/v5 v5.12.0 // PostgreSQL
	github.com/jba/templatecheck v0.7.1 // tests only: every page against its struct, along paths that no test takes
	github.com/ncruces/go-sqlite3 v0.36.0 // SQLite without cgo, encrypted pages (adiantum); v0.37.0 does not install
	github.com/pquerna/otp v1.5.0 // TOTP codes and their QR code; only in cmd/internal/people
	github.com/pressly/goose/v3 v3.29.0 // migrations
	github.com/prometheus/client_golang v1.25.0 // /metrics
	github.com/riverqueue/river v0.49.0 // the queue; 0.49 is the one version with both drivers
	github.com/riverqueue/river/riverdriver v0.49.0
	github.com/riverqueue/river/riverdriver/riverpgxv5 v0.49.0
	github.com/riverqueue/river/riverdriver/riversqlite v0.49.0
	github.com/riverqueue/river/rivertype v0.49.0
	github.com/robfig/cron/v3 v3.0.1 // fixed by the owner: its parser and Schedule
	github.com/rs/zerolog v1.33.0 // tests only: toxiproxy's logger, to silence it
	github.com/samply/golang-fhir-models/fhir-models v0.3.2 // fixed by the owner: views to read through, shadowed where it drops data
	github.com/sony/gobreaker/v2 v2.4.0 // one breaker per counterpart
	github.com/teambition/rrule-go v1.8.2 // recurrence rules (RFC 5545), which nobody should write anew
	github.com/vbauerster/mpb/v8 v8.9.3 // progress bars, silent where there is no terminal
	github.com/wneessen/go-mail v0.8.1 // SMTP with STARTTLS and AUTH, and MIME headers as they must be; only in connectors/mail
	golang.org/x/crypto v0.58.0 // argon2id, for passwords
	golang.org/x/term v0.47.0 // is this a terminal, and how wide
	golang.org/x/text v0.43.0 // NFC: a password and a name are the same however their accents are typed
	golang.org/x/time v0.16.0 // one rate limit per counterpart
	pgregory.net/rapid v1.3.0 // property tests, with shrinking
)

require (
	github.com/VividCortex/ewma v1.2.0 // indirect
	github.com/acarl005/stripansi v0.0.0-20180116102854-5a71ef0e047d // indirect
	github.com/beorn7/perks v1.0.1 // indirect
	github.com/boombuler/barcode v1.0.1-0.20190219062509-6c824513bacc // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/charmbracelet/colorprofile v0.4.3 // indirect
	github.com/charmbracelet/ultraviolet v0.0.0-20260811164956-006e29f97886 // indirect
	github.com/charmbracelet/x/ansi v0.11.8 // indirect
	github.com/charmbracelet/x/term v0.2.2 // indirect
	github.com/charmbracelet/x/termios v0.1.1 // indirect
	github.com/charmbracelet/x/windows v0.2.2 // indirect
	github.com/clipperhouse/displaywidth v0.11.0 // indirect
	github.com/clipperhouse/uax29/v2 v2.7.0 // indirect
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
	github.com/google/safehtml v0.0.2 // indirect
	github.com/gorilla/mux v1.8.1 // indirect
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/jackc/puddle/v2 v2.2.3 // indirect
	github.com/lucasb-eyer/go-colorful v1.4.1 // indirect
	github.com/mattn/go-colorable v0.1.13 // indirect
	github.com/mattn/go-isatty v0.0.24 // indirect
	github.com/mattn/go-runewidth v0.0.24 // indirect
	github.com/mfridman/interpolate v0.0.2 // indirect
	github.com/muesli/cancelreader v0.2.2 // indirect
	github.com/munnerz/goautoneg v0.0.0-20191010083416-a7dc8b61c822 // indirect
	github.com/ncruces/go-sqlite3-wasm/v6 v6.4.35401 // indirect
	github.com/ncruces/julianday v1.0.0 // indirect
	github.com/prometheus/client_model v0.6.3 // indirect
	github.com/prometheus/common v0.72.0 // indirect
	github.com/prometheus/procfs v0.22.0 // indirect
	github.com/riverqueue/river/rivershared v0.49.0 // indirect
	github.com/rivo/uniseg v0.4.7 // indirect
	github.com/rs/xid v1.5.0 // indirect
	github.com/sethvargo/go-retry v0.5.0 // indirect
	github.com/tidwall/gjson v1.19.0 // indirect
	github.com/tidwall/match v1.2.0 // indirect
	github.com/tidwall/pretty v1.2.1 // indirect
	github.com/tidwall/sjson v1.2.5 // indirect
	github.com/xo/terminfo v0.0.0-20220910002029-abceb7e1c41e // indirect
	go.uber.org/multierr v1.11.0 // indirect
	golang.org/x/net v0.61.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
	gopkg.in/tomb.v1 v1.0.0-20141024135613-dd632973f1e7 // indirect
	lukechampine.com/adiantum v1.1.1 // indirect
)
