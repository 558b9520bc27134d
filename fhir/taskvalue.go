package fhir

import (
	"encoding/json"
	"errors"
)

// UnmarshalJSON reads one input or output; two values in it are an error.
func (v *TaskValue) UnmarshalJSON(b []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(b, &members); err != nil {
		return err
	}
	*v = TaskValue{}
	for key, raw := range members {
		var err error
		value := string(choiceOf([]byte(key))) == "value"
		switch {
		case key == "id":
			err = json.Unmarshal(raw, &v.ID)
		case key == "extension":
			err = json.Unmarshal(raw, &v.Extension)
		case key == "type":
			err = json.Unmarshal(raw, &v.Type)
		case value && v.Name != "":
			err = errors.New("two values")
		case value:
			v.Name, v.Value = key, raw
		default:
			if v.Rest == nil {
				v.Rest = map[string]json.RawMessage{}
			}
			v.Rest[key] = raw
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// MarshalJSON writes just what was read.
func (v TaskValue) MarshalJSON() ([]byte, error) {
	members := map[string]any{"type": v.Type}
	for key, raw := range v.Rest {
		members[key] = raw
	}
	if v.ID != nil {
		members["id"] = v.ID
	}
	if len(v.Extension) > 0 {
		members["extension"] = v.Extension
	}
	if v.Name != "" {
		members[v.Name] = v.Value
	}
	return json.Marshal(members)
}
