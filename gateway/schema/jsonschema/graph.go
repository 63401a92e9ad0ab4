package jsonschema

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// graph is what schemas of a compiled schema look at, so that the work on a value is known before there is one. The library has no
// limit of its own: {"anyOf": [X, X]} in a schema X of a tree looks at each level twice as often as at the one above.
//
// An edge leads to a schema that looks at the same part of a value (allOf, $ref), or at one below it (properties, items). Two edges
// count together only if they may look at the same part: those of one property do, those of two do not.
type graph struct {
	limit   int
	nodes   []*node
	of      map[*jsonschema.Schema]*node
	anchors map[string][]*node // the schemas that a $dynamicRef or $recursiveRef may mean
	flat    int                // how many edges have been gathered
}

type node struct {
	schema *jsonschema.Schema
	here   []*jsonschema.Schema // look at the same part
	below  []edge
	state  state
	cyclic bool   // it gets back to itself at the same part
	all    []edge // below, of this and of all that look at the same part, by label
	same   *node  // what this is a mere reference to, or nil
	calls  int    // how many they are
	height int    // how many of them look one through the other
	work   int    // how often schemas look at a part that many levels below
	next   int
}

// state says whether all of a node has been gathered.
type state int

const (
	untouched state = iota
	open
	done
)

// edge says that a schema looks at members or elements of a label. The label "{" is any member, "[" any element. times may be negative:
// a member that is named is no additional one.
type edge struct {
	label string
	to    *jsonschema.Schema
	times int
}

// depth is how deep values may be nested, at most most.
func (g *graph) depth(root *jsonschema.Schema, most int) (int, error) {
	g.of, g.anchors = map[*jsonschema.Schema]*node{}, map[string][]*node{}
	g.reach(root)
	if err := g.gatherAll(); err != nil {
		return 0, err
	}
	g.bind()
	if err := g.gatherAll(); err != nil {
		return 0, err
	}
	for d := range most {
		g.deepen()
		if g.of[root].next > g.limit {
			if d == 0 {
				return 0, fmt.Errorf("the schema looks at one part of a value more than %d times (schema.jsonschema.max.visits)", g.limit)
			}
			return d, nil
		}
		if !g.advance() {
			break // nor would it change further down
		}
	}
	return most, nil
}

// deepen computes the work one level further down. Mere references are most of a schema, so they take that of what they refer to.
func (g *graph) deepen() {
	for _, n := range g.nodes {
		if n.same == nil {
			n.next = g.heaviest(n)
		}
	}
	for _, n := range g.nodes {
		if n.same != nil {
			n.next = n.same.next
		}
	}
}

// advance goes one level down, and tells whether anything is other than one level above.
func (g *graph) advance() bool {
	changed := false
	for _, n := range g.nodes {
		next := min(n.next, g.limit+1)
		changed = changed || next != n.work
		n.work = next
	}
	return changed
}

// reach finds all schemas, without recursion: a chain of them may be long.
func (g *graph) reach(root *jsonschema.Schema) {
	todo := []*jsonschema.Schema{root}
	for len(todo) > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if g.of[s] != nil {
			continue
		}
		n := &node{schema: s, here: here(s), below: below(s)}
		g.nodes, g.of[s] = append(g.nodes, n), n
		if s.DynamicAnchor != "" {
			g.anchors[s.DynamicAnchor] = append(g.anchors[s.DynamicAnchor], n)
		}
		if s.RecursiveAnchor {
			g.anchors[recursive] = append(g.anchors[recursive], n)
		}
		todo = append(todo, n.here...)
		if s.RecursiveRef != nil {
			todo = append(todo, s.RecursiveRef)
		}
		if s.DynamicRef != nil {
			todo = append(todo, s.DynamicRef.Ref)
		}
		for _, e := range n.below {
			todo = append(todo, e.to)
		}
	}
}

// recursive is the anchor of $recursiveRef, which has no name.
const recursive = "#"

// bind follows the references that depend on where a value came from. Of the schemas that they may mean, that with the most work stands
// for all: it is the outermost, which has the others in it.
func (g *graph) bind() {
	largest := map[string]*node{}
	for anchor, nodes := range g.anchors {
		largest[anchor] = slices.MaxFunc(nodes, func(a, b *node) int { return cmp.Compare(a.calls+len(a.all), b.calls+len(b.all)) })
	}
	for _, n := range g.nodes {
		s := n.schema
		switch {
		case s.DynamicRef != nil && s.DynamicRef.Anchor != "" && s.DynamicRef.Ref.DynamicAnchor == s.DynamicRef.Anchor:
			n.here = append(slices.Clone(n.here), largest[s.DynamicRef.Anchor].schema)
		case s.DynamicRef != nil:
			n.here = append(slices.Clone(n.here), s.DynamicRef.Ref)
		case s.RecursiveRef != nil && s.RecursiveRef.RecursiveAnchor:
			n.here = append(slices.Clone(n.here), largest[recursive].schema)
		case s.RecursiveRef != nil:
			n.here = append(slices.Clone(n.here), s.RecursiveRef)
		}
	}
}

func (g *graph) gatherAll() error {
	g.flat = 0
	for _, n := range g.nodes {
		n.state, n.all, n.same = untouched, nil, nil
	}
	for _, n := range g.nodes {
		if !g.gather(n) {
			return fmt.Errorf("the schemas at %s look at one part of a value more than %d times (schema.jsonschema.max.visits), or %d through one another", n.schema.Location, g.limit, maxSame)
		}
		n.work = n.calls
	}
	return nil
}

// gather collects the edges of all that look at the same part as n. It is false if they are too many. A schema that gets back to itself
// at the same part is an error when a value is checked, so it ends there.
func (g *graph) gather(n *node) bool {
	if n.state != untouched {
		return true
	}
	n.state, n.calls, n.height = open, 1, 1
	reference := len(n.below) == 0 && len(n.here) == 1
	n.all = append(n.all, n.below...)
	for _, s := range n.here {
		h := g.of[s]
		if !g.gather(h) {
			return false
		}
		if h.state == open {
			n.cyclic = true
			continue
		}
		if reference {
			n.same = cmp.Or(h.same, h)
		} else {
			all := cmp.Or(h.same, h).all
			n.all = append(n.all, all...)
			g.flat += len(all)
		}
		n.calls, n.height = n.calls+h.calls, max(n.height, h.height+1)
	}
	slices.SortFunc(n.all, func(a, b edge) int { return cmp.Compare(a.label, b.label) })
	n.state = done
	return n.calls <= g.limit && n.height <= maxSame && g.flat <= maxFlat
}

const (
	maxFlat = 500_000 // how many edges are gathered, so that the analysis costs less than a second
	maxSame = 100     // how many schemas look at the same part one through the other: the library looks for cycles at each
)

// heaviest is how often schemas look at a part one level more below n: that of the label that is looked at most.
func (g *graph) heaviest(n *node) int {
	var any, most [2]int // of members and of elements
	for i := 0; i < len(n.all); {
		label, sum := n.all[i].label, 0
		for ; i < len(n.all) && n.all[i].label == label; i++ {
			sum += n.all[i].times * g.of[n.all[i].to].work
		}
		which := 0
		if label[0] == '[' {
			which = 1
		}
		if len(label) == 1 {
			any[which] = sum
		} else {
			most[which] = max(most[which], sum)
		}
	}
	return max(any[0]+most[0], any[1]+most[1])
}

// here are the schemas that look at the same part of a value as s.
func here(s *jsonschema.Schema) []*jsonschema.Schema {
	var all []*jsonschema.Schema
	for _, one := range []*jsonschema.Schema{s.Ref, s.Not, s.If, s.Then, s.Else} {
		if one != nil {
			all = append(all, one)
		}
	}
	all = append(append(append(all, s.AllOf...), s.AnyOf...), s.OneOf...)
	for _, one := range s.DependentSchemas {
		all = append(all, one)
	}
	for _, one := range s.Dependencies {
		if one, ok := one.(*jsonschema.Schema); ok {
			all = append(all, one)
		}
	}
	return all
}

// below are the schemas that look at the parts below.
func below(s *jsonschema.Schema) []edge {
	var all []edge
	if s.PropertyNames != nil {
		all = append(all, edge{"{", s.PropertyNames, 1})
	}
	for _, one := range s.PatternProperties {
		all = append(all, edge{"{", one, 1})
	}
	for name, one := range s.Properties {
		all = append(all, edge{"{" + name, one, 1})
	}
	additional, _ := s.AdditionalProperties.(*jsonschema.Schema)
	for _, rest := range []*jsonschema.Schema{additional, s.UnevaluatedProperties} {
		if rest == nil {
			continue
		}
		all = append(all, edge{"{", rest, 1})
		for name := range s.Properties {
			all = append(all, edge{"{" + name, rest, -1})
		}
	}
	return append(all, elements(s)...)
}

func elements(s *jsonschema.Schema) []edge {
	var all []edge
	first := s.PrefixItems
	rest := []*jsonschema.Schema{s.Items2020, s.UnevaluatedItems}
	switch items := s.Items.(type) {
	case *jsonschema.Schema:
		rest = append(rest, items)
	case []*jsonschema.Schema:
		first = items
	}
	if more, ok := s.AdditionalItems.(*jsonschema.Schema); ok {
		rest = append(rest, more)
	}
	if s.Contains != nil {
		all = append(all, edge{"[", s.Contains, 1})
	}
	for i, one := range first {
		all = append(all, edge{"[" + strconv.Itoa(i), one, 1})
	}
	for _, one := range rest {
		if one == nil {
			continue
		}
		all = append(all, edge{"[", one, 1})
		for i := range first {
			all = append(all, edge{"[" + strconv.Itoa(i), one, -1})
		}
	}
	return all
}

// eachProperty calls f with the names of all properties.
func (g *graph) eachProperty(f func(name string)) {
	for _, n := range g.nodes {
		for name := range n.schema.Properties {
			f(name)
		}
	}
}
