package jsonschema

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"sluice/gateway/schema/codec"
	"sluice/gateway/schema/jsontext"
)

// first is the one error that is shown of all that are wrong with a value: the first by its place, shallow before deep.
func first(err error, value any) *codec.ValueError {
	bad, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return &codec.ValueError{Want: "a value that the schema takes", Found: err.Error(), Kind: "another"}
	}
	leaf := telling(bad)
	path, want, found := describe(leaf)
	e := &codec.ValueError{Path: pointer(path), Want: want + " by " + rule(leaf), Found: found}
	if found == "" {
		e.Found, e.Kind = quote(at(value, path)), kindName(at(value, path))
	}
	if _, ok := leaf.ErrorKind.(*kind.PropertyNames); ok {
		e.Kind = "another name"
	}
	return e
}

// kindName is what a value is, without quoting it.
func kindName(v any) string {
	switch v.(type) {
	case map[string]any:
		return jsontext.Object.String()
	case []any:
		return jsontext.Array.String()
	case string:
		return jsontext.String.String()
	case json.Number:
		return jsontext.Number.String()
	case bool:
		return jsontext.Bool.String()
	default:
		return jsontext.Null.String()
	}
}

// telling is the error that tells most: of several the first, and of the alternatives of anyOf and oneOf the one that fits deepest.
func telling(e *jsonschema.ValidationError) *jsonschema.ValidationError {
	if len(e.Causes) == 0 {
		return e
	}
	leaves := make([]*jsonschema.ValidationError, len(e.Causes))
	for i, c := range e.Causes {
		leaves[i] = telling(c)
	}
	switch e.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf:
		deepest := slices.MaxFunc(leaves, func(a, b *jsonschema.ValidationError) int {
			return cmp.Or(cmp.Compare(len(a.InstanceLocation), len(b.InstanceLocation)), place(b, a))
		})
		if len(deepest.InstanceLocation) > len(e.InstanceLocation) {
			return deepest
		}
		return e
	case *kind.PropertyNames, *kind.Contains, *kind.MinContains, *kind.ContentSchema:
		return e
	default:
		return slices.MinFunc(leaves, place)
	}
}

// place orders errors by where they are: in the value, then in the schema.
func place(a, b *jsonschema.ValidationError) int {
	return cmp.Or(
		cmp.Compare(len(a.InstanceLocation), len(b.InstanceLocation)),
		slices.CompareFunc(a.InstanceLocation, b.InstanceLocation, compareTokens),
		cmp.Compare(rule(a), rule(b)),
	)
}

// compareTokens orders indexes by number.
func compareTokens(a, b string) int {
	i, err1 := strconv.Atoi(a)
	j, err2 := strconv.Atoi(b)
	if err1 == nil && err2 == nil {
		return cmp.Compare(i, j)
	}
	return cmp.Compare(a, b)
}

// rule is where in the schema the rule stands, as the fragment of a URL; that of a reference has its URL before it.
func rule(e *jsonschema.ValidationError) string {
	where := strings.TrimPrefix(e.SchemaURL, rootURL)
	where = strings.TrimPrefix(where, strings.TrimSuffix(rootURL, "schema.json"))
	if !strings.Contains(where, "#") {
		where += "#"
	}
	keyword := e.ErrorKind.KeywordPath()
	switch k := e.ErrorKind.(type) { // where the library has it otherwise than the schema
	case *kind.PropertyNames:
		keyword = nil
	case *kind.Dependency:
		keyword = []string{"dependencies", k.Prop}
	}
	return where + pointer(keyword)
}

func pointer(path []string) string {
	var b strings.Builder
	for _, token := range path {
		b.WriteString("/" + codec.Escape(token))
	}
	return b.String()
}

// at is the part of a value at a path, or nil.
func at(value any, path []string) any {
	for _, token := range path {
		switch v := value.(type) {
		case map[string]any:
			value = v[token]
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}

// quote is a short value as JSON, and others by their kind.
func quote(v any) string {
	switch v := v.(type) {
	case map[string]any:
		return "an object"
	case []any:
		return "an array"
	case string:
		if len(v) > 40 {
			return fmt.Sprintf("a string of %d bytes", len(v))
		}
	}
	text, err := json.Marshal(v)
	if err != nil || len(text) > 60 {
		return "a value"
	}
	return string(text)
}

// describe is where an error is, what was wanted there, and what was found if that is not the value.
func describe(e *jsonschema.ValidationError) (path []string, want, found string) {
	path = e.InstanceLocation
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		return member(path, k.Missing), "a value", "nothing"
	case *kind.Dependency:
		return member(path, k.Missing), fmt.Sprintf("a value, since %q is there,", k.Prop), "nothing"
	case *kind.DependentRequired:
		return member(path, k.Missing), fmt.Sprintf("a value, since %q is there,", k.Prop), "nothing"
	case *kind.AdditionalProperties:
		return member(path, k.Properties), "a known name", "an unknown name"
	case *kind.PropertyNames:
		return path, "names that fit", strconv.Quote(k.Property)
	case *kind.OneOf:
		if len(k.Subschemas) > 1 {
			return path, "a value that fits one alternative", fmt.Sprintf("one that fits those at %d and %d", k.Subschemas[0], k.Subschemas[1])
		}
		return path, alternatives(e), ""
	case *kind.AnyOf:
		return path, alternatives(e), ""
	case *kind.UniqueItems:
		return path, "elements that all differ", fmt.Sprintf("the same at %d and %d", k.Duplicates[0], k.Duplicates[1])
	case *kind.RefCycle:
		return path, "a schema without a cycle of references", k.URL
	}
	if want, got, ok := counted(e.ErrorKind); ok {
		return path, want, strconv.Itoa(got)
	}
	return path, wanted(e.ErrorKind), ""
}

// member is the path of the first of some members.
func member(path []string, names []string) []string {
	return append(slices.Clone(path), slices.Min(names))
}

// alternatives tells the types of alternatives that fail by their types, or that there are several.
func alternatives(e *jsonschema.ValidationError) string {
	var types []string
	for _, c := range e.Causes {
		k, ok := telling(c).ErrorKind.(*kind.Type)
		if !ok {
			return "a value that fits one of " + strconv.Itoa(len(e.Causes)) + " alternatives"
		}
		for _, t := range k.Want {
			if !slices.Contains(types, t) {
				types = append(types, t)
			}
		}
	}
	return strings.Join(types, " or ")
}

// counted are the rules that count something, and how much there is of it.
func counted(k jsonschema.ErrorKind) (want string, got int, ok bool) {
	switch k := k.(type) {
	case *kind.MinLength:
		return fmt.Sprintf("at least %d characters", k.Want), k.Got, true
	case *kind.MaxLength:
		return fmt.Sprintf("at most %d characters", k.Want), k.Got, true
	case *kind.MinItems:
		return fmt.Sprintf("at least %d elements", k.Want), k.Got, true
	case *kind.MaxItems:
		return fmt.Sprintf("at most %d elements", k.Want), k.Got, true
	case *kind.MinProperties:
		return fmt.Sprintf("at least %d members", k.Want), k.Got, true
	case *kind.MaxProperties:
		return fmt.Sprintf("at most %d members", k.Want), k.Got, true
	case *kind.MinContains:
		return fmt.Sprintf("at least %d elements that fit", k.Want), len(k.Got), true
	case *kind.MaxContains:
		return fmt.Sprintf("at most %d elements that fit", k.Want), len(k.Got), true
	case *kind.AdditionalItems:
		return "no further elements", k.Count, true
	default:
		return "", 0, false
	}
}

// wanted are the rules on what the value is.
func wanted(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Type:
		return strings.Join(k.Want, " or ")
	case *kind.Const:
		return quote(k.Want)
	case *kind.Enum:
		return "one of " + list(k.Want)
	case *kind.Format:
		return fmt.Sprintf("format %q", k.Want)
	case *kind.Pattern:
		return "a string that matches " + k.Want
	case *kind.Minimum:
		return "at least " + decimal(k.Want)
	case *kind.Maximum:
		return "at most " + decimal(k.Want)
	case *kind.ExclusiveMinimum:
		return "more than " + decimal(k.Want)
	case *kind.ExclusiveMaximum:
		return "less than " + decimal(k.Want)
	case *kind.MultipleOf:
		return "a multiple of " + decimal(k.Want)
	case *kind.Contains:
		return "an element that fits"
	case *kind.FalseSchema:
		return "nothing"
	case *kind.Not:
		return "a value that does not fit"
	default:
		return "a value that fits"
	}
}

// maxListed is how many values of an enum an error lists.
const maxListed = 10

func list(values []any) string {
	var all []string
	for i, v := range values {
		if i == maxListed {
			all = append(all, "...")
			break
		}
		all = append(all, quote(v))
	}
	return strings.Join(all, ", ")
}

// decimal is a number of a schema as it is written in JSON.
func decimal(r *big.Rat) string {
	if r.IsInt() && len(r.Num().String()) < 20 {
		return r.Num().String()
	}
	f, _ := r.Float64()
	return strconv.FormatFloat(f, 'g', -1, 64)
}
