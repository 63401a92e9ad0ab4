package config

import "strings"

// isBelow says whether a dotted name is key or stands below it.
func isBelow(name, key string) bool {
	rest, ok := strings.CutPrefix(name, key)
	return ok && (rest == "" || rest[0] == '.')
}

func newTable(line int) *literal {
	return &literal{kind: kindTable, line: line, keys: make(map[string]*literal)}
}

// below returns the table that path leads to from t, and makes those that are missing. An array of tables stands for its
// last one, as in TOML. If something else stands in the way, that is returned as blocked.
func (t *literal) below(path []string, line int) (table, blocked *literal) {
	for _, name := range path {
		next := t.keys[name]
		if next == nil {
			next = newTable(line)
			t.keys[name] = next
		}
		if next.kind == kindArray && len(next.items) > 0 {
			next = next.items[len(next.items)-1]
		}
		if next.kind != kindTable {
			return nil, next
		}
		t = next
	}
	return t, nil
}

// add adds a table to the array of tables that path leads to, as [[path]] does.
func (t *literal) add(path []string, line int) (table, blocked *literal) {
	parent, blocked := t.below(path[:len(path)-1], line)
	if blocked != nil {
		return nil, blocked
	}
	name := path[len(path)-1]
	array := parent.keys[name]
	if array == nil {
		array = &literal{kind: kindArray, line: line}
		parent.keys[name] = array
	}
	if array.kind != kindArray {
		return nil, array
	}
	table = newTable(line)
	array.items = append(array.items, table)
	return table, nil
}

// put sets the value that path leads to. It returns what stands there already, or in the way.
func (t *literal) put(path []string, v *literal) (blocked *literal) {
	parent, blocked := t.below(path[:len(path)-1], v.line)
	if blocked != nil {
		return blocked
	}
	name := path[len(path)-1]
	if old := parent.keys[name]; old != nil {
		return old
	}
	parent.keys[name] = v
	return nil
}
