package gateway

import (
	"errors"
	"os"
	"time"

	"sluice/gateway/config"
)

// configFile is the configuration file of a gateway that runs. Editors and scripts write files in pieces, and the first pieces of one may be
// a valid configuration that lacks topics: what is being written is not read.
type configFile struct {
	path string
	load func(path string) (*config.Config, error)
	read fileStamp // of what was read last
	seen fileStamp // at the last look
}

func newConfigFile(path string) *configFile {
	f := &configFile{path: path, load: config.Load, read: stamp(path)}
	f.seen = f.read
	return f
}

// changed looks at the file. It is true if that is another than what was read last, and was the same at the look before.
func (f *configFile) changed() bool {
	now := stamp(f.path)
	same := now == f.seen
	f.seen = now
	return same && now != f.read
}

// errBeingWritten says that a file changed while it was read.
var errBeingWritten = errors.New("the file is being written")

// reload reads the file. The error is errBeingWritten if what was read may be parts of two.
func (f *configFile) reload() (*config.Config, error) {
	before := stamp(f.path)
	cfg, err := f.load(f.path)
	if f.seen = stamp(f.path); f.seen != before {
		return nil, errBeingWritten
	}
	f.read = before
	return cfg, err
}

// fileStamp changes when a file does.
type fileStamp struct {
	modified time.Time
	size     int64
}

func stamp(path string) fileStamp {
	info, err := os.Stat(path)
	if err != nil {
		return fileStamp{}
	}
	return fileStamp{info.ModTime(), info.Size()}
}
