package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// magic begins every document: the format's name and version. The SHA-256 of what follows the first line, and the line's
// end, come after it.
const magic = "sluice-registry 1 "

// revision is the document that keeps the registry's revision when the document that had it last is removed.
type revision struct {
	Revision uint64 `json:"revision"`
}

// document is what a Modules or Topics value holds.
type document interface{ check() error }

// encode returns a document as it is stored.
func encode(doc any) ([]byte, error) {
	var body bytes.Buffer
	e := json.NewEncoder(&body)
	e.SetEscapeHTML(false) // configurations and reports are kept as they were given
	if err := e.Encode(doc); err != nil {
		return nil, err
	}
	return seal(body.Bytes()), nil
}

func seal(body []byte) []byte {
	return append([]byte(magic+ID(body)+"\n"), body...)
}

// decode reads into doc what encode wrote. Its errors say what is wrong with the data, and name no file.
func decode(data []byte, doc any) error {
	head, body, _ := bytes.Cut(data, []byte("\n"))
	sum, ok := strings.CutPrefix(string(head), magic)
	switch {
	case len(data) == 0:
		return errors.New("it is empty")
	case !ok:
		return fmt.Errorf("it begins with %q instead of %q: not a document of this version of Sluice", shown(string(head)), magic)
	case ID(body) != sum:
		return errors.New("its checksum is wrong: it is torn or was altered")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields() // they would be lost when the document is written again
	if err := d.Decode(doc); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the document")
	}
	if doc, ok := doc.(document); ok {
		if err := doc.check(); err != nil {
			return errors.New(err.Error()) // it is the file that is wrong: no argument is ErrInvalid
		}
	}
	return nil
}

// decodeModule reads the document of the module with this name.
func decodeModule(data []byte, name string) (*Module, error) {
	m := &Module{}
	if err := decode(data, m); err != nil {
		return nil, err
	}
	if m.Name != name {
		return nil, fmt.Errorf("it is the document of module %q", m.Name)
	}
	return m, nil
}

// decodeBindings reads the document of the bindings of this topic.
func decodeBindings(data []byte, topic string) (*Bindings, error) {
	b := &Bindings{}
	if err := decode(data, b); err != nil {
		return nil, err
	}
	if b.Topic != topic {
		return nil, fmt.Errorf("it is the document of topic %q", b.Topic)
	}
	return b, nil
}
