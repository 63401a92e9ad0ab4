package avro

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sluice/gateway/schema/codec"
)

// avscFolder holds the script and, after npm ci, avsc: an implementation of Avro in JavaScript.
const avscFolder = "testdata/interop"

type avscCase struct {
	Schema string `json:"schema"`
	Data   string `json:"data"`
	JSON   string `json:"json"`
}

type avscAnswer struct{ Read, Written, Error string }

// TestAvsc holds that avsc reads what is written here as it is read here, and writes the same bytes.
func TestAvsc(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no node: apt-get install nodejs npm")
	}
	if _, err := os.Stat(filepath.Join(avscFolder, "node_modules", "avsc")); err != nil {
		t.Skip("no avsc: npm ci --prefix gateway/schema/avro/" + avscFolder)
	}
	cases := avscCases(t)
	in, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), node, "check.js")
	cmd.Dir, cmd.Stdin, cmd.Stderr = avscFolder, bytes.NewReader(in), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answers []avscAnswer
	if err := json.Unmarshal(out, &answers); err != nil || len(answers) != len(cases) || len(cases) < 60 {
		t.Fatalf("%d answers to %d cases, %v", len(answers), len(cases), err)
	}
	for i, a := range answers {
		c := cases[i]
		if a.Error != "" || a.Written != c.Data {
			t.Errorf("%+v\navsc: %+v", c, a)
			continue
		}
		// What avsc reads is compared by what it is written as: numbers and escapes have several forms.
		again, err := mustCompile(t, c.Schema, codec.Options{Strict: true}).Encode(nil, []byte(a.Read))
		if err != nil || hex.EncodeToString(again) != c.Data {
			t.Errorf("%+v\navsc: %+v, which is written as %x, %v", c, a, again, err)
		}
	}
}

// avscCases are all good values, but for numbers that JavaScript does not have.
func avscCases(t *testing.T) []avscCase {
	t.Helper()
	var all []avscCase
	add := func(schema, value string) {
		strict := mustCompile(t, schema, codec.Options{Strict: true})
		data, err := mustCompile(t, schema, codec.Options{}).Encode(nil, []byte(value))
		if err != nil {
			t.Fatal(err)
		}
		text, err := strict.Decode(nil, data)
		if err != nil {
			t.Fatal(err)
		}
		if s := string(text); strings.Contains(s, "NaN") || strings.Contains(s, "Infinity") || strings.Contains(s, "922337203685") || strings.Contains(s, "1000000000000000000") || s == "-0" {
			return
		}
		all = append(all, avscCase{Schema: schema, Data: hex.EncodeToString(data), JSON: string(text)})
	}
	for _, s := range allCases() {
		for _, g := range s.good {
			add(s.schema, g.in)
		}
	}
	add(orderSchema, order)
	return all
}
