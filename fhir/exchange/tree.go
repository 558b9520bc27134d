package exchange

import (
	"bytes"
	"encoding/json"
	"errors"
)

// fields is a JSON object in the order in which it was written.
type fields []field

type field struct {
	key   string
	value any // fields, []any, string, json.Number, bool or nil
}

// get returns the value of key, nil when there is none.
func (o fields) get(key string) any {
	for _, f := range o {
		if f.key == key {
			return f.value
		}
	}
	return nil
}

var errNoObject = errors.New("not one JSON object")

func decode(body []byte) (fields, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	v, err := decodeValue(dec)
	if err != nil {
		return nil, errNoObject
	}
	o, ok := v.(fields)
	if !ok || dec.More() {
		return nil, errNoObject
	}
	return o, nil
}

func decodeValue(dec *json.Decoder) (any, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		o := fields{}
		for dec.More() {
			key, err := dec.Token()
			if err != nil {
				return nil, err
			}
			value, err := decodeValue(dec)
			if err != nil {
				return nil, err
			}
			o = append(o, field{key.(string), value}) // a key is text, or Token would have failed
		}
		_, err = dec.Token()
		return o, err
	case json.Delim('['):
		list := []any{}
		for dec.More() {
			value, err := decodeValue(dec)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err = dec.Token()
		return list, err
	}
	return token, nil
}

func encode(dst []byte, v any) []byte {
	switch v := v.(type) {
	case fields:
		dst = append(dst, '{')
		for i, f := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(encode(dst, f.key), ':')
			dst = encode(dst, f.value)
		}
		return append(dst, '}')
	case []any:
		dst = append(dst, '[')
		for i, item := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = encode(dst, item)
		}
		return append(dst, ']')
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // "<" as received: some readers do not undo escapes in a comparator
	_ = enc.Encode(v)        // text, a number, true, false or null always encode
	return append(dst, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}
