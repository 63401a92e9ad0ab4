package json

// Edits is a list of changes to a text. The zero Edits is empty; Reset makes it so again, for the next text.
type Edits struct {
	list []edit
	room []byte // the replacements, one after the other
}

type edit struct{ from, to, textFrom, textTo int }

// Reset forgets all changes and keeps the memory.
func (e *Edits) Reset() { e.list, e.room = e.list[:0], e.room[:0] }

// Empty says whether nothing is to be changed.
func (e *Edits) Empty() bool { return len(e.list) == 0 }

// Replace puts text in place of v. The text is copied. What overlaps an earlier change takes its place if it is around it
// and is not needed if it is within it.
func (e *Edits) Replace(v Value, text []byte) {
	from := v.Offset()
	to := from + len(v.Raw())
	i := len(e.list)
	for i > 0 && e.list[i-1].from > from {
		i--
	}
	if i > 0 && e.list[i-1].to >= to {
		return
	}
	end := i
	for end < len(e.list) && e.list[end].to <= to {
		end++
	}
	at := len(e.room)
	e.room = append(e.room, text...)
	added := edit{from, to, at, len(e.room)}
	if end > i {
		e.list[i] = added
		e.list = append(e.list[:i+1], e.list[end:]...)
		return
	}
	e.list = append(e.list, edit{})
	copy(e.list[i+1:], e.list[i:])
	e.list[i] = added
}

// Size is the length of doc when it is changed.
func (e *Edits) Size(doc []byte) int {
	n := len(doc)
	for _, c := range e.list {
		n += c.textTo - c.textFrom - (c.to - c.from)
	}
	return n
}

// Append appends doc with all changes to dst. Every byte outside what is replaced stays as it is.
func (e *Edits) Append(dst, doc []byte) []byte {
	at := 0
	for _, c := range e.list {
		dst = append(dst, doc[at:c.from]...)
		dst = append(dst, e.room[c.textFrom:c.textTo]...)
		at = c.to
	}
	return append(dst, doc[at:]...)
}
