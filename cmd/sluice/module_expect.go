package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"

	"sluice/gateway/guest"
	"sluice/gateway/toolchain"
)

// difference is a member of an outcome that is other than expected.
type difference struct {
	Record int    `json:"record"` // from 1
	Member string `json:"member"`
	Want   string `json:"want"` // as JSON
	Got    string `json:"got"`
}

// expect compares the outcomes of the one hook that was run with the file of --expect, or writes it.
func (t session) expect(all *tested, failed *failedError) error {
	file := t.flags.expect
	if file == "" {
		return nil
	}
	got, err := expectedLines(all.Results[0].Records)
	if err != nil {
		return err
	}
	if t.flags.update {
		return toolchain.WriteFile(file, append(bytes.Join(got, []byte("\n")), '\n'))
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if all.Differences, err = compare(text, got); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if !t.flags.asJSON {
		p := newPaper(t.out)
		for _, d := range all.Differences {
			fmt.Fprintf(t.out, "record %d is not as %s says:\n  %s\n  %s\n", d.Record, file,
				p.in(red, "- "+d.Member+" "+cut([]byte(d.Want))), p.in(green, "+ "+d.Member+" "+cut([]byte(d.Got))))
		}
	}
	if n := len(all.Differences); n > 0 {
		failed.what = append(failed.what, fmt.Sprintf("it differs from %s in %d places", file, n))
	}
	return nil
}

// expectedLines are outcomes as --update writes them: without what may differ from run to run.
func expectedLines(outcomes []guest.Outcome) ([][]byte, error) {
	lines := make([][]byte, 0, len(outcomes))
	for _, o := range outcomes {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(o); err != nil {
			return nil, err
		}
		members, err := membersOf(b.Bytes())
		if err != nil {
			return nil, err
		}
		delete(members, "index")
		delete(members, "fuel")
		b.Reset()
		if err := e.Encode(members); err != nil {
			return nil, err
		}
		lines = append(lines, bytes.TrimSpace(b.Bytes()))
	}
	return lines, nil
}

func membersOf(line []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	var members map[string]any
	if err := d.Decode(&members); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, errors.New("something follows the object")
	}
	return members, nil
}

// compare says where got differs from what the lines of want say. Members that a line leaves out are not compared.
func compare(want []byte, got [][]byte) ([]difference, error) {
	var out []difference
	n := 0
	for line := range bytes.Lines(want) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		n++
		w, err := membersOf(line)
		if err != nil {
			return nil, fmt.Errorf("record %d: %w", n, err)
		}
		if n > len(got) {
			out = append(out, difference{Record: n, Member: "record", Want: string(line), Got: "no record"})
			continue
		}
		g, err := membersOf(got[n-1])
		if err != nil {
			return nil, err
		}
		for _, name := range slices.Sorted(maps.Keys(w)) {
			if !reflect.DeepEqual(w[name], g[name]) {
				out = append(out, difference{Record: n, Member: name, Want: asJSON(w[name]), Got: asJSON(g[name])})
			}
		}
	}
	for ; n < len(got); n++ {
		out = append(out, difference{Record: n + 1, Member: "record", Want: "no record", Got: string(got[n])})
	}
	return out, nil
}

func asJSON(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // it was JSON before
	return string(bytes.TrimSpace(b.Bytes()))
}
