package registry

import (
	"io/fs"
	"maps"
	"sync"
)

// Store keeps blobs and documents by key. It need not understand or verify them: the registry finds out by their hashes. A
// local folder is one; a compacted Kafka topic has the same shape, with nil as its tombstone.
type Store interface {
	// List returns every key with the size of its value in bytes.
	List() ([]Entry, error)
	// Read returns a value, or an error that is fs.ErrNotExist; where names its place in messages, also then.
	Read(k Key) (value []byte, where string, err error)
	// Write replaces a value, or removes it if value is nil. When it returns nil the change survives a crash. On an error,
	// and on a crash while it runs, there is the old value or the new one, never a part of it.
	Write(k Key, value []byte) error
	Close() error
}

// Key names a value of a Store.
type Key struct {
	Kind Kind
	Name string
}

// Entry is a Key with the size of its value in bytes.
type Entry struct {
	Key
	Size int64
}

// Kind is a part of a Store.
type Kind string

// What a Store keeps.
const (
	Blobs   Kind = "blobs"   // by id
	Modules Kind = "modules" // documents by the module's name
	Topics  Kind = "topics"  // documents of bindings by topic
	Meta    Kind = "meta"    // the document "revision"
)

// Memory is a Store that forgets everything when it is dropped.
type Memory struct {
	mu     sync.Mutex
	values map[Key]string
}

// NewMemory returns an empty Memory.
func NewMemory() *Memory { return &Memory{values: map[Key]string{}} }

// List implements Store.
func (m *Memory) List() ([]Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	entries := make([]Entry, 0, len(m.values))
	for k, v := range maps.All(m.values) {
		entries = append(entries, Entry{k, int64(len(v))})
	}
	return entries, nil
}

// Read implements Store.
func (m *Memory) Read(k Key) ([]byte, string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	where := "memory:" + string(k.Kind) + "/" + k.Name
	v, ok := m.values[k]
	if !ok {
		return nil, where, &fs.PathError{Op: "read", Path: where, Err: fs.ErrNotExist}
	}
	return []byte(v), where, nil
}

// Write implements Store.
func (m *Memory) Write(k Key, value []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if value == nil {
		delete(m.values, k)
	} else {
		m.values[k] = string(value)
	}
	return nil
}

// Close implements Store.
func (m *Memory) Close() error { return nil }
