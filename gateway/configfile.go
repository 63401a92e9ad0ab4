package gateway

import (
	"errors"
	"maps"
	"os"
	"slices"
	"time"

	"sluice/gateway/config"
)

// configFile is the configuration file of a gateway that runs, with the schema files that it names. Editors and scripts write files in
// pieces, and the first pieces of one may be a valid configuration that lacks topics: what is being written is not read.
type configFile struct {
	path string
	load func(path string) (*config.Config, error)
	read stamps // of what was read last
	seen stamps // at the last look
}

// newConfigFile takes how schema files were when they were read.
func newConfigFile(path string, schemas stamps) *configFile {
	f := &configFile{path: path, load: config.Load, read: look([]string{path})}
	maps.Copy(f.read, schemas)
	f.seen = maps.Clone(f.read)
	return f
}

// changed looks at the files. It is true if they are others than what was read last, and were the same at the look before.
func (f *configFile) changed() bool {
	now := look(slices.Collect(maps.Keys(f.seen)))
	same := maps.Equal(now, f.seen)
	f.seen = now
	return same && !maps.Equal(now, f.read)
}

// errBeingWritten says that a file changed while it was read.
var errBeingWritten = errors.New("the file is being written")

// reload reads the file. The error is errBeingWritten if what was read may be parts of two. The schema files of what was read are looked
// at from now on, also if they turn out to be of no use: they may be mended.
func (f *configFile) reload() (*config.Config, error) {
	paths := slices.Collect(maps.Keys(f.seen))
	before := look(paths)
	cfg, err := f.load(f.path)
	f.seen = look(paths)
	if !maps.Equal(f.seen, before) {
		return nil, errBeingWritten
	}
	if err == nil {
		maps.Copy(f.seen, look(cfg.SchemaFiles()))
	}
	f.read = maps.Clone(f.seen)
	return cfg, err
}

// only says which schema files are in use.
func (f *configFile) only(schemas []string) {
	other := func(path string, _ fileStamp) bool { return path != f.path && !slices.Contains(schemas, path) }
	maps.DeleteFunc(f.seen, other)
	maps.DeleteFunc(f.read, other)
}

// fileStamp changes when a file does.
type fileStamp struct {
	modified time.Time
	size     int64
}

// stamps are those of files, by their paths.
type stamps map[string]fileStamp

func look(paths []string) stamps {
	all := make(stamps, len(paths))
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil {
			all[path] = fileStamp{info.ModTime(), info.Size()}
		} else {
			all[path] = fileStamp{}
		}
	}
	return all
}
