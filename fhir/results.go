package fhir

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// results gathers what Tasks carry inside them as their outcome: Observations that are contained, and that an output leads
// to. Each is read through the gate as a record of the Task's source and party, whose versions are the Task's; what rests on
// one rests on the Task's version. One that cannot be let in, or that is about somebody else than the Task is for, leaves
// its Task unread, so that nothing is taken for the whole of what was told.
type results struct {
	versions []Version
	refused  []*Version // Tasks, in the chart's order
}

// output is what of a Task's output tells where its value is.
type output struct {
	ValueReference json.RawMessage `json:"valueReference"`
}

// see notes what v carries.
func (r *results) see(v *Version) {
	if v.Gone {
		prefix := resultID(v.ID, "")
		for _, known := range slices.Clone(r.versions) {
			if known.Source == v.Source && known.Party == v.Party && strings.HasPrefix(known.ID, prefix) && !r.gone(known.Key) {
				gone := *v
				gone.Key, gone.Container = known.Key, v
				r.versions = append(r.versions, gone)
			}
		}
		return
	}
	var task struct {
		For       json.RawMessage   `json:"for"`
		Contained []json.RawMessage `json:"contained"`
		Output    []output          `json:"output"`
	}
	if !bytes.Contains(v.Resource.Body, []byte(`"#`)) || json.Unmarshal(readable(v.Resource.Body), &task) != nil {
		return
	}
	for i, raw := range task.Contained {
		var glance struct {
			ResourceType string          `json:"resourceType"`
			ID           string          `json:"id"`
			Subject      json.RawMessage `json:"subject"`
		}
		if json.Unmarshal(raw, &glance) != nil || glance.ResourceType != "Observation" || !slices.ContainsFunc(task.Output, func(o output) bool {
			return reference(o.ValueReference) == "#"+glance.ID
		}) {
			continue
		}
		body, ok := standing(raw, glance.Subject, task.For, slices.Concat(task.Contained[:i], task.Contained[i+1:]))
		resource, err := Parse(body, "Observation")
		if !ok || err != nil {
			r.refused = append(r.refused, v)
			continue
		}
		resource.VersionID, resource.LastUpdated = v.Resource.VersionID, v.Resource.LastUpdated
		inside := *v
		inside.Key = Key{Source: v.Source, Type: "Observation", ID: resultID(v.ID, glance.ID)}
		inside.Resource, inside.Container = resource, v
		r.versions = append(r.versions, inside)
	}
}

// resultID is how a result is called whose Task and whose id within it are these.
func resultID(task, id string) string { return task + "#" + id }

// gone reports whether the newest version of key says that it is gone.
func (r *results) gone(key Key) bool {
	for _, v := range slices.Backward(r.versions) {
		if v.Key == key {
			return v.Gone
		}
	}
	return false
}

// standing is a contained Observation as it would stand by itself: about whom its Task is for, with what its Task contains
// beside it within reach. ok is false when it says that it is about somebody else.
func standing(raw, subject, whose json.RawMessage, beside []json.RawMessage) (body []byte, ok bool) {
	var edits []Edit
	if subject == nil && whose != nil {
		edits = append(edits, Edit{Path: "subject", Value: whose})
	} else if subject != nil && reference(subject) != reference(whose) {
		return nil, false
	}
	if len(beside) > 0 {
		edits = append(edits, Edit{Path: "contained", Value: beside})
	}
	body, err := Apply(raw, edits...)
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

// into puts what was gathered into the chart's Observations, in the order in which the hub learned it.
func (r *results) into(c *Chart) {
	newest := make(map[Key]int, len(r.versions))
	for i := range r.versions {
		newest[r.versions[i].Key] = i
	}
	for i := range r.versions {
		see(c, &c.Observations, &r.versions[i], newest[r.versions[i].Key] == i)
	}
	if len(r.versions) > 0 {
		slices.SortStableFunc(c.Observations, func(a, b Seen[Observation]) int { return int(a.Moment - b.Moment) })
	}
	for _, v := range r.refused {
		if slices.ContainsFunc(c.Tasks, func(t Seen[Task]) bool { return t.Version == v && t.Latest }) && !slices.Contains(c.Unread, v) {
			c.Unread = append(c.Unread, v)
		}
	}
}
