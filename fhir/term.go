package fhir

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Reading is how certain the meaning of a coded value is.
type Reading int

// The readings, from knowing nothing to knowing.
const (
	Absent    Reading = iota // no coding at all
	Unmapped                 // codings, but none in the wanted system and no ConceptMap leads there
	Ambiguous                // two codings that mean different things
	Mapped                   // exactly one meaning
)

// Terms translates partners' codes into the hub's through FHIR ConceptMaps (fhir.md section 8). What has no mapping is
// Unmapped and never guessed. A nil *Terms translates nothing and still reads codes that are the hub's own.
type Terms struct {
	means  map[meaning]string
	theirs map[meaning][]Code // by a code of ours: the partner's codes that mean it
	made   map[string][]string
}

// meaning asks what party means by a code, in a system of ours.
type meaning struct {
	party  string
	code   Code
	system string
}

// NewTerms reads each party's ConceptMap resources. Only targets said to be equal or equivalent without conditions
// are translations. All that is wrong is reported at once: a file that is no ConceptMap, a group without systems, a
// code that would mean two things. Codes and systems are vocabulary and may be named in the error.
func NewTerms(files map[string][][]byte) (*Terms, error) {
	t := &Terms{means: map[meaning]string{}, theirs: map[meaning][]Code{}, made: map[string][]string{}}
	var wrong []error
	for _, party := range slices.Sorted(maps.Keys(files)) {
		for n, file := range files[party] {
			if err := t.load(party, file); err != nil {
				wrong = append(wrong, fmt.Errorf("concept map %d of %s: %w", n+1, party, err))
			}
			sum := sha256.Sum256(file)
			t.made[party] = append(t.made[party], hex.EncodeToString(sum[:]))
		}
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	return t, nil
}

// Made returns the hashes of the files that t was made of, by party: terms of the same files translate alike.
func (t *Terms) Made() map[string][]string {
	if t == nil {
		return nil
	}
	return t.made
}

// conceptMap is what of a ConceptMap bears on a translation.
type conceptMap struct {
	Group []struct {
		Source, Target string
		Element        []struct {
			Code   string
			Target []struct {
				Code, Equivalence string
				DependsOn         []json.RawMessage
			}
		}
	}
}

func (t *Terms) load(party string, file []byte) error {
	if err := conceptMapFile(file); err != nil {
		return err
	}
	var m conceptMap
	if err := json.Unmarshal(readable(file), &m); err != nil {
		return errors.New("its groups do not read as a ConceptMap's")
	}
	var wrong []error
	for _, g := range m.Group {
		if g.Source == "" || g.Target == "" {
			wrong = append(wrong, errors.New("a group without source or target system: name both"))
			continue
		}
		for _, e := range g.Element {
			for _, to := range e.Target {
				if to.Equivalence != "equal" && to.Equivalence != "equivalent" || len(to.DependsOn) > 0 || to.Code == "" {
					continue
				}
				key := meaning{party, Code{g.Source, e.Code}, g.Target}
				if had, ok := t.means[key]; ok && had != to.Code {
					wrong = append(wrong, fmt.Errorf("%s|%s means both %s and %s: keep one", g.Source, e.Code, had, to.Code))
					continue
				}
				t.means[key] = to.Code
				back := meaning{party, Code{g.Target, to.Code}, g.Source}
				if own := (Code{g.Source, e.Code}); !slices.Contains(t.theirs[back], own) {
					t.theirs[back] = append(t.theirs[back], own)
				}
			}
		}
	}
	return errors.Join(wrong...)
}

// conceptMapFile passes a file through what the gate asks, but for an id: files have names.
func conceptMapFile(file []byte) error {
	t, reason := open(file)
	defer t.close()
	if reason != "" {
		return t.refuse(&fault{reason: reason, at: broken})
	}
	if t.kind(0) != object {
		return t.refuse(&fault{reason: ReasonNotObject})
	}
	f := t.clean(0)
	if f == nil {
		f = t.knownType("ConceptMap")
	}
	if f != nil {
		return t.refuse(f)
	}
	return nil
}

// Code reads what concept means in system: a coding of that system as it is, any other through party's ConceptMaps.
// The code is "" unless the reading is Mapped.
func (t *Terms) Code(party string, concept *CodeableConcept, system string) (string, Reading) {
	if concept == nil {
		return "", Absent
	}
	code, reading := "", Absent
	for _, c := range concept.Coding {
		if c.Code == nil || *c.Code == "" {
			continue
		}
		if reading == Absent {
			reading = Unmapped
		}
		means, ok := t.translate(party, c, system)
		switch {
		case !ok:
		case reading == Mapped && means != code:
			return "", Ambiguous
		default:
			code, reading = means, Mapped
		}
	}
	return code, reading
}

func (t *Terms) translate(party string, c Coding, system string) (string, bool) {
	if c.System == nil {
		return "", false
	}
	if *c.System == system {
		return *c.Code, true
	}
	if t == nil {
		return "", false
	}
	code, ok := t.means[meaning{party, Code{*c.System, *c.Code}, system}]
	return code, ok
}

// Theirs returns how party writes a code of ours, one code for each of its systems, in a fixed order: by a group that leads
// from our system to theirs, else backwards through one that leads here, where just one code of theirs means ours. Nothing
// when nobody has mapped it, or when several of theirs mean it: which of them is never guessed.
func (t *Terms) Theirs(party string, ours Code) []Code {
	if t == nil {
		return nil
	}
	var all []Code
	for key, code := range t.means {
		if key.party == party && key.code == ours {
			all = append(all, Code{key.system, code})
		}
	}
	for key, codes := range t.theirs {
		told := func(c Code) bool { return c.System == key.system }
		if key.party == party && key.code == ours && len(codes) == 1 && !slices.ContainsFunc(all, told) {
			all = append(all, codes[0])
		}
	}
	slices.SortFunc(all, func(a, b Code) int { return cmp.Compare(a.System, b.System) })
	return all
}
