package connectors

// Report is what Check found.
type Report struct {
	Software     string
	Capabilities Capabilities
	Lines        []Line
	Auth         []Claim // why the hub is let in or not; none where nothing is proven
}

// Claim is one thing that the hub says to be let in, beside what the counterpart expects. It holds no secret, assertion or token.
type Claim struct {
	Claim    string `json:"claim"`
	Sent     string `json:"sent"`
	Expected string `json:"expected"`
	Verdict  string `json:"verdict"` // "works", "degrades", "unknown", "fails"
	Next     string `json:"next,omitempty"`
}

// Mistake is something wrong in a connector's own part of the config: at which key of it, and what to write instead.
type Mistake struct{ Key, Text string }

// Line is one finding of Check.
type Line struct {
	Level   string // "works", "degrades", "impossible", "fails"
	About   string // a resource type, or what is done: "changes", "writing"
	Text    string // what works, or does not
	Instead string // what the practice or the hub does instead; "" = nothing is needed, or Text says what to do
}

// Mode is how a counterpart is read.
type Mode string

// The modes.
const (
	ModeDelta  Mode = "delta"            // by what changed since the last read
	ModeMixed  Mode = "mixed"            // some types by what changed, the others client by client
	ModeClient Mode = "client by client" // everything of each client, every time
)

// Origin is where a capability was learned.
type Origin string

// The origins. What is learned by trying counts over the statement, and the config over both.
const (
	Statement Origin = "statement" // its CapabilityStatement
	Config    Origin = "config"    // the operator's word
	Probe     Origin = "probe"     // it was tried
	Assumed   Origin = "assumed"   // nobody says: taken as R4 has it
)

// Capability is one thing that a counterpart offers or not.
type Capability struct {
	Name  string `json:"name"`           // "changes", "patient required", "conditional create", …
	Type  string `json:"type,omitempty"` // the resource type it is about; "" = all
	Value string `json:"value"`
	From  Origin `json:"from"`
}

// Capabilities is what a counterpart offers.
type Capabilities struct {
	Known bool         // it states what it has, or the config does; else all below is assumed
	Mode  Mode         // how it is read; "" = it is not read
	Reads []string     // types that it tells of
	Lacks []string     // types that the hub would read of such a party, and that it does not tell of
	Takes []string     // types that can be written there, of those the hub has to bring
	All   []Capability // each with where it was learned
}
