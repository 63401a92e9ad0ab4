package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"strconv"
	"strings"

	sluice "sluice/guest-sdk/go"
	"sluice/guest-sdk/go/json"
)

// minSalt keeps hashes of guessable values from being undone by trying.
const minSalt = 16

func (x *redactor) configure(c *sluice.Config) error {
	c.Only("fields", "action", "mask", "salt")
	x.paths, x.names, x.mac = nil, nil, nil
	list := c.Strings("/fields")
	if len(list) == 0 && c.Err() == nil {
		return c.Wrong("/fields", `must name at least one field: a name such as "password", or a JSON Pointer such as "/user/email" or "/cards/*/number"`)
	}
	for i, f := range list {
		x.field(c, "/fields/"+strconv.Itoa(i), f)
	}
	x.mask = json.AppendQuoted(nil, c.String("/mask", "***"))
	action, salt := c.String("/action", "mask"), c.String("/salt", "")
	switch {
	case c.Err() != nil:
		return c.Err()
	case action == "mask" && salt == "":
		return nil
	case action == "mask":
		return errors.New(`config /salt is for action = "hash" only`)
	case action != "hash":
		return c.Wrong("/action", `must be "mask" or "hash"`)
	case c.Has("/mask"):
		return errors.New(`config /mask is for action = "mask" only`)
	case len(salt) < minSalt:
		return errors.New(`config /salt must have at least 16 bytes for action = "hash"`) // and is not shown
	}
	x.mac = hmac.New(sha256.New, []byte(salt))
	return nil
}

// field adds a pointer or a name.
func (x *redactor) field(c *sluice.Config, at, f string) {
	if f == "" {
		_ = c.Wrong(at, "must not be empty")
		return
	}
	if f[0] != '/' {
		x.names = append(x.names, f)
		return
	}
	if err := json.CheckPointer(f); err != nil {
		_ = c.Wrong(at, "is no JSON Pointer: "+err.Error())
	}
	tokens := strings.Split(f[1:], "/")
	for i := range tokens {
		tokens[i] = json.Token(tokens[i])
	}
	x.paths = append(x.paths, tokens)
}
