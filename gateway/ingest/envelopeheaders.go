package ingest

import (
	"unsafe"

	"sluice/gateway/record"
)

// readHeaders reads either form of "headers".
func (e *envelope) readHeaders() *record.Error {
	switch e.peek() {
	case '{':
		return e.headerObject()
	case '[':
		return e.headerArray()
	case 'n':
		return e.literal("null")
	default:
		return e.unexpected("an object or array of headers")
	}
}

// headerObject reads {"name": string, null, or array of those}.
func (e *envelope) headerObject() *record.Error {
	e.i++
	for first := true; ; {
		more, err := e.next('}', &first)
		if err != nil || !more {
			return err
		}
		name, err := e.text()
		if err != nil {
			return err
		}
		for i := range e.headers {
			if e.headers[i].Key == string(name) {
				return e.errorf("header %q is given twice; the array form allows it", name)
			}
		}
		if err := e.expect(':'); err != nil {
			return err
		}
		if err := e.headerValues(name); err != nil {
			return err
		}
	}
}

func (e *envelope) headerValues(name []byte) *record.Error {
	if e.peek() != '[' {
		return e.headerValue(name)
	}
	e.i++
	for first := true; ; {
		more, err := e.next(']', &first)
		if err != nil || !more {
			return err
		}
		if err := e.headerValue(name); err != nil {
			return err
		}
	}
}

// headerValue reads a string or null.
func (e *envelope) headerValue(name []byte) (err *record.Error) {
	var value []byte
	switch e.peek() {
	case '"':
		value, err = e.text()
	case 'n':
		err = e.literal("null")
	default:
		err = e.unexpected("a header's value, a string or null,")
	}
	if err != nil {
		return err
	}
	e.addHeader(name, value)
	return nil
}

// addHeader takes a header whose bytes are in the batch's memory.
func (e *envelope) addHeader(name, value []byte) {
	e.headers = append(e.headers, record.Header{Key: unsafe.String(unsafe.SliceData(name), len(name)), Value: value})
}

// headerArray reads [{"name": string, "value": string or null} or {…, "value_base64": string}, …].
func (e *envelope) headerArray() *record.Error {
	e.i++
	for first := true; ; {
		more, err := e.next(']', &first)
		if err != nil || !more {
			return err
		}
		if err := e.oneHeader(); err != nil {
			return err
		}
	}
}

func (e *envelope) oneHeader() *record.Error {
	if err := e.expect('{'); err != nil {
		return err
	}
	outer := e.seen
	e.seen = 0
	var name, value []byte
	for first := true; ; {
		more, err := e.next('}', &first)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if err := e.headerMember(&name, &value); err != nil {
			return err
		}
	}
	if e.seen != memberName|memberValue {
		return e.errorf(`a header has "name" and "value", or "name" and "value_base64"`)
	}
	e.seen = outer
	e.addHeader(name, value)
	return nil
}

func (e *envelope) headerMember(name, value *[]byte) *record.Error {
	member, err := e.scanner.member()
	if err != nil {
		return err
	}
	switch string(member) {
	case "name":
		if err = e.once(memberName, "name"); err == nil {
			*name, err = e.text()
		}
	case "value":
		if err = e.once(memberValue, "value"); err != nil {
			return err
		}
		if e.peek() == 'n' {
			return e.literal("null")
		}
		*value, err = e.text()
	case "value_base64":
		if err = e.once(memberValue, "value"); err == nil {
			*value, err = e.bytes("value_base64")
		}
	default:
		err = e.errorf(`unknown member "%s" of a header; there are name, value and value_base64`, member)
	}
	return err
}

// mergeHeaders gives the record its own headers, behind those of the request that have another name.
func (e *envelope) mergeHeaders(shared []record.Header) {
	all := e.batch.NewHeaders(len(shared) + len(e.headers))[:0]
	for _, h := range shared {
		if !e.names(h.Key) {
			all = append(all, h)
		}
	}
	e.rec.Headers = append(all, e.headers...)
}

// names says whether the line has a header of this name.
func (e *envelope) names(name string) bool {
	for i := range e.headers {
		if e.headers[i].Key == name {
			return true
		}
	}
	return false
}
