package main

import (
	"math"
	"strconv"
	"strings"

	sluice "sluice/guest-sdk/go"
	"sluice/guest-sdk/go/json"
)

const rule = `must be a partition such as 0, a range such as "3-5" or a list such as [1, 4]`

// configure reads the config table: every key is a region.
func (p *partitioner) configure(c *sluice.Config) error {
	n := 0
	c.Value("").Members(func(_, _ json.Value) bool { n++; return true })
	if n == 0 {
		return c.Wrong("", "must name at least one region")
	}
	p.regions = newRegions(n)
	c.Value("").Members(func(name, value json.Value) bool {
		region := string(name.Text())
		at, good := choiceOf(value)
		switch {
		case region == "" || strings.Contains(region, ":"):
			_ = c.Wrong(pointerTo(region), "stands for a region that no key can have: it is empty or has a colon in it")
		case !good:
			_ = c.Wrong(pointerTo(region), rule)
		}
		p.regions.set(region, at)
		return c.Err() == nil
	})
	return c.Err()
}

// pointerTo is the JSON Pointer to a member of the config table.
func pointerTo(name string) string {
	return "/" + strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}

func choiceOf(v json.Value) (choice, bool) {
	switch v.Kind() {
	case json.Number:
		n, ok := partitionOf(v)
		return choice{first: n, count: 1}, ok
	case json.String:
		return rangeOf(string(v.Text()))
	case json.Array:
		list := []int32{}
		good := true
		v.Elements(func(_ int, e json.Value) bool {
			n, ok := partitionOf(e)
			list = append(list, n)
			good = ok
			return ok
		})
		return choice{list: list}, good && len(list) > 0
	default:
		return choice{}, false
	}
}

func partitionOf(v json.Value) (int32, bool) {
	n, ok := v.Int()
	return int32(n), ok && n >= 0 && n < math.MaxInt32
}

// rangeOf reads "first-last", both included.
func rangeOf(s string) (choice, bool) {
	from, to, found := strings.Cut(s, "-")
	first, err := strconv.ParseUint(from, 10, 31)
	if !found || err != nil {
		return choice{}, false
	}
	last, err := strconv.ParseUint(to, 10, 31)
	if err != nil || last < first || last == math.MaxInt32 {
		return choice{}, false
	}
	return choice{first: int32(first), count: int32(last-first) + 1}, true
}
