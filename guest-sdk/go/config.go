package sluice

import (
	"slices"
	"strconv"
	"strings"

	"sluice/guest-sdk/go/json"
)

// Config is the configuration of an instance: what it is and the config table of its binding. Lookups take a JSON Pointer
// (RFC 6901), such as "/limits/max". What is absent or null is the fallback. The first value of a wrong type is remembered:
// configure then is refused when the module's function has returned, so that it need not check after every lookup.
type Config struct {
	doc    json.Value
	config json.Value
	err    error
}

type configError struct{ text string }

func (e *configError) Error() string { return e.text }

// configure calls f with the configuration in doc.
func configure(doc []byte, f func(*Config) error) error {
	v, err := json.Parse(doc)
	if err != nil {
		return err
	}
	c := &Config{doc: v, config: v.Lookup("/config")}
	if f == nil {
		return nil
	}
	if err := f(c); err != nil {
		return err
	}
	return c.err
}

// Topic is the topic that the module is bound to.
func (c *Config) Topic() string { return string(c.doc.Lookup("/topic").Text()) }

// Module is the module's name.
func (c *Config) Module() string { return string(c.doc.Lookup("/module").Text()) }

// Version is the SHA-256 of the module as uploaded, in hex.
func (c *Config) Version() string { return string(c.doc.Lookup("/version").Text()) }

// Host is the name of the gateway's machine.
func (c *Config) Host() string { return string(c.doc.Lookup("/host").Text()) }

// Err is the first thing that was found wrong so far.
func (c *Config) Err() error { return c.err }

// Value is whatever stands at a pointer, for what the other lookups cannot tell. It is valid during configure only.
func (c *Config) Value(pointer string) json.Value { return c.config.Lookup(pointer) }

// Has says whether there is something other than null at a pointer.
func (c *Config) Has(pointer string) bool { return c.Value(pointer).Kind() > json.Null }

// String is the string at a pointer.
func (c *Config) String(pointer, fallback string) string {
	v := c.Value(pointer)
	if v.Kind() > json.Null && v.Kind() != json.String {
		_ = c.Wrong(pointer, "must be a string")
	}
	if v.Kind() != json.String {
		return fallback
	}
	return string(v.Text())
}

// Int is the integer at a pointer.
func (c *Config) Int(pointer string, fallback int64) int64 {
	v := c.Value(pointer)
	if v.Kind() <= json.Null {
		return fallback
	}
	n, ok := v.Int()
	if !ok {
		_ = c.Wrong(pointer, "must be an integer of at most 64 bits")
		return fallback
	}
	return n
}

// Float is the number at a pointer.
func (c *Config) Float(pointer string, fallback float64) float64 {
	v := c.Value(pointer)
	if v.Kind() <= json.Null {
		return fallback
	}
	f, ok := v.Float()
	if !ok {
		_ = c.Wrong(pointer, "must be a number")
		return fallback
	}
	return f
}

// Bool is the boolean at a pointer.
func (c *Config) Bool(pointer string, fallback bool) bool {
	v := c.Value(pointer)
	if v.Kind() <= json.Null {
		return fallback
	}
	b, ok := v.Bool()
	if !ok {
		_ = c.Wrong(pointer, "must be true or false")
		return fallback
	}
	return b
}

// Strings is the list of strings at a pointer, nil if there is none.
func (c *Config) Strings(pointer string) []string {
	v := c.Value(pointer)
	if v.Kind() <= json.Null {
		return nil
	}
	if v.Kind() != json.Array {
		_ = c.Wrong(pointer, "must be a list of strings")
		return nil
	}
	var list []string
	v.Elements(func(i int, e json.Value) bool {
		if e.Kind() != json.String {
			_ = c.Wrong(pointer+"/"+strconv.Itoa(i), "must be a string")
		}
		list = append(list, string(e.Text()))
		return c.err == nil
	})
	return list
}

// Keys is the names of the members of the object at a pointer, in the order of the text; nil if there is none.
func (c *Config) Keys(pointer string) []string {
	v := c.Value(pointer)
	if v.Kind() > json.Null && v.Kind() != json.Object {
		_ = c.Wrong(pointer, "must be an object")
	}
	var keys []string
	v.Members(func(name, _ json.Value) bool { keys = append(keys, string(name.Text())); return true })
	return keys
}

// Only refuses every key of the config table that is not in keys.
func (c *Config) Only(keys ...string) { _ = c.OnlyIn("", keys...) }

// OnlyIn refuses every key of the object at a pointer that is not in keys, and whatever stands there that is no object.
// It returns the first thing that was found wrong so far, as Err.
func (c *Config) OnlyIn(pointer string, keys ...string) error {
	for _, k := range c.Keys(pointer) {
		if !slices.Contains(keys, k) {
			quoted := json.AppendQuoted(nil, k)
			_ = c.remember(where(pointer) + ": unknown key " + shortened(quoted) + ", known are " + strings.Join(keys, ", "))
		}
	}
	return c.err
}

// Wrong says that the value at a pointer breaks a rule, such as "must be between 0 and 100", in an error that names all
// three. It is remembered if it is the first.
func (c *Config) Wrong(pointer, rule string) error {
	v := c.Value(pointer)
	if v.Kind() == json.None {
		return c.remember(where(pointer) + " " + rule)
	}
	return c.remember(where(pointer) + ": " + shortened(v.Raw()) + " " + rule)
}

// where names a place of the config table as people write it: the whole of it has no pointer.
func where(pointer string) string {
	if pointer == "" {
		return "config"
	}
	return "config " + pointer
}

func (c *Config) remember(text string) error {
	err := &configError{text}
	if c.err == nil {
		c.err = err
	}
	return err
}

// shortened keeps values out of the log that would fill it.
func shortened(raw []byte) string {
	const most = 80
	if len(raw) > most {
		return string(raw[:most]) + "..."
	}
	return string(raw)
}
