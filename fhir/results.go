package fhir

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// results gathers what Tasks carry inside them as their outcome: contained Observations, MedicationRequests and
// MedicationDispenses that an output or the focus leads to, or one of these in turn. Each is read through the gate as a
// record of the Task's source and party, whose versions are the Task's; what rests on one rests on the Task's version. One
// that cannot be let in, or that is about somebody else than the Task is for, leaves its Task unread, so that nothing is
// taken for the whole of what was told.
type results struct {
	versions []Version
	refused  []*Version // Tasks, in the chart's order
}

// carried is one resource inside a Task, and what inside the Task it leads to in its turn.
type carried struct {
	raw          json.RawMessage
	ResourceType string            `json:"resourceType"`
	ID           string            `json:"id"`
	Subject      json.RawMessage   `json:"subject"`
	leads        map[string]string // by the path of a reference: the id it leads to
}

// glanceAt reads raw as far as it matters here; its other faults are the gate's business.
func glanceAt(raw json.RawMessage) (c carried) {
	if json.Unmarshal(raw, &c) != nil {
		return carried{}
	}
	c.raw, c.leads = raw, map[string]string{}
	var refs struct {
		Prescriptions []json.RawMessage `json:"authorizingPrescription"`
		Focus         []json.RawMessage `json:"focus"`
	}
	if json.Unmarshal(raw, &refs) != nil {
		return c
	}
	for name, list := range map[string][]json.RawMessage{"authorizingPrescription": refs.Prescriptions, "focus": refs.Focus} {
		for i, ref := range list {
			if id, inside := strings.CutPrefix(reference(ref), "#"); inside {
				c.leads[name+"."+strconv.Itoa(i)+".reference"] = id
			}
		}
	}
	return c
}

func (c carried) lifted() bool {
	switch c.ResourceType {
	case "Observation", "MedicationRequest", "MedicationDispense":
		return true
	}
	return false
}

// see notes what v carries, and that what an earlier version carried and v does not is gone: what is gone is no fact any
// more, and lifts nothing. A Task that says it was a mistake carries nothing.
func (r *results) see(v *Version) {
	before := len(r.versions)
	if !v.Gone {
		r.read(v)
	}
	for _, known := range slices.Clone(r.versions[:before]) {
		still := slices.ContainsFunc(r.versions[before:], func(now Version) bool { return now.Key == known.Key })
		if known.Container.Key == v.Key && !still && !r.gone(known.Key) {
			r.versions = append(r.versions, Version{Key: known.Key, Party: v.Party, N: v.N, Moment: v.Moment, Received: v.Received,
				Gone: true, Why: cmp.Or(v.Why, "its Task does not carry it any more"), Container: v})
		}
	}
}

// read notes the results in v.
func (r *results) read(v *Version) {
	var task struct {
		Status    string            `json:"status"`
		For       json.RawMessage   `json:"for"`
		Focus     json.RawMessage   `json:"focus"`
		Contained []json.RawMessage `json:"contained"`
		Output    []struct {
			ValueReference json.RawMessage `json:"valueReference"`
		} `json:"output"`
	}
	if !bytes.Contains(v.Resource.Body, []byte(`"#`)) || json.Unmarshal(readable(v.Resource.Body), &task) != nil || task.Status == enteredInError {
		return
	}
	all, byID, times := make([]carried, len(task.Contained)), map[string]carried{}, map[string]int{}
	for i, raw := range task.Contained {
		c := glanceAt(raw)
		all[i], byID[c.ID] = c, c
		times[c.ID]++
	}
	led := map[string]bool{}
	var lead func(id string, inside bool)
	lead = func(id string, inside bool) {
		if c := byID[id]; inside && c.lifted() && !led[id] {
			led[id] = true
			for _, next := range c.leads {
				lead(next, true)
			}
		}
	}
	for _, o := range task.Output {
		lead(strings.CutPrefix(reference(o.ValueReference), "#"))
	}
	lead(strings.CutPrefix(reference(task.Focus), "#"))
	for i, c := range all {
		if !c.lifted() || !led[c.ID] {
			continue
		}
		body, ok := c.standing(v.ID, task.For, byID, slices.Concat(task.Contained[:i], task.Contained[i+1:]))
		resource, err := Parse(body, c.ResourceType)
		if !ok || err != nil || times[c.ID] > 1 {
			r.refused = append(r.refused, v)
			continue
		}
		resource.VersionID, resource.LastUpdated = v.Resource.VersionID, v.Resource.LastUpdated
		inside := *v
		inside.Key = Key{Source: v.Source, Type: c.ResourceType, ID: resultID(v.ID, c.ID)}
		inside.Resource, inside.Container = resource, v
		r.versions = append(r.versions, inside)
	}
}

// resultID is how a result is called whose Task and whose id within it are these: an id that no server gives.
func resultID(task, id string) string {
	sum := sha256.Sum256([]byte(task + "#" + id))
	return "inside-" + hex.EncodeToString(sum[:20])
}

// gone reports whether the newest version of key says that it is gone.
func (r *results) gone(key Key) bool {
	for _, v := range slices.Backward(r.versions) {
		if v.Key == key {
			return v.Gone
		}
	}
	return false
}

// standing is c as it would stand by itself: about whom its Task is for, leading to the others that are lifted out as they
// are called then, and with what its Task contains beside it within reach. ok is false when it says that it is about somebody
// else.
func (c carried) standing(task string, whose json.RawMessage, byID map[string]carried, beside []json.RawMessage) (body []byte, ok bool) {
	var edits []Edit
	if c.Subject == nil && whose != nil {
		edits = append(edits, Edit{Path: "subject", Value: whose})
	} else if c.Subject != nil && reference(c.Subject) != reference(whose) {
		return nil, false
	}
	for path, id := range c.leads {
		if to := byID[id]; to.lifted() {
			edits = append(edits, Edit{Path: path, Value: Ref{to.ResourceType, resultID(task, id)}.String()})
		}
	}
	if len(beside) > 0 {
		edits = append(edits, Edit{Path: "contained", Value: beside})
	}
	body, err := Apply(c.raw, edits...)
	return body, err == nil
}

// reference returns the literal reference in raw, "" when there is none.
func reference(raw json.RawMessage) string {
	var ref struct {
		Reference string `json:"reference"`
	}
	if raw == nil || json.Unmarshal(raw, &ref) != nil {
		return ""
	}
	return ref.Reference
}

// into puts what was gathered into the chart's lists, in the order in which the hub learned it.
func (r *results) into(c *Chart) {
	newest := make(map[Key]int, len(r.versions))
	for i := range r.versions {
		newest[r.versions[i].Key] = i
	}
	for i := range r.versions {
		v := &r.versions[i]
		last := newest[v.Key] == i
		switch v.Type {
		case "Observation":
			see(c, &c.Observations, v, last)
		case "MedicationRequest":
			see(c, &c.MedicationRequests, v, last)
		case "MedicationDispense":
			see(c, &c.MedicationDispenses, v, last)
		}
	}
	if len(r.versions) > 0 {
		inOrder(c.Observations)
		inOrder(c.MedicationRequests)
		inOrder(c.MedicationDispenses)
	}
	for _, v := range r.refused {
		if slices.ContainsFunc(c.Tasks, func(t Seen[Task]) bool { return t.Version == v && t.Latest }) && !slices.Contains(c.Unread, v) {
			c.Unread = append(c.Unread, v)
		}
	}
}

func inOrder[T any](list []Seen[T]) {
	slices.SortStableFunc(list, func(a, b Seen[T]) int { return int(a.Moment - b.Moment) })
}
