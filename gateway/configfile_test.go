package gateway

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"sluice/gateway/config"
)

// TestHalfWrittenConfigurationIsNotRead: a file that is written in pieces, of which the first is a valid one without some topics.
func TestHalfWrittenConfigurationIsNotRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.toml")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	write := func(text string) {
		t.Helper()
		if _, err := file.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	write("[kafka]\nbootstrap.servers = \"b:9092\"\n[topics.orders]\n[topics.other]\n")
	f := newConfigFile(path, nil)
	if again(f) {
		t.Fatal("nothing has changed")
	}
	if err := file.Truncate(0); err != nil {
		t.Fatal(err)
	}
	if _, err := file.Seek(0, 0); err != nil {
		t.Fatal(err)
	}
	for _, piece := range []string{"[kafka]\nbootstrap.servers = \"b:9092\"\n[topics.orders]\n", "[topics.other]\n", "[topics.more]\n"} {
		write(piece)
		if f.changed() {
			t.Fatalf("it is read behind %q", piece)
		}
	}
	if !f.changed() {
		t.Fatal("what was the same at two looks is not read")
	}

	f.load = func(path string) (*config.Config, error) {
		cfg, err := config.Load(path)
		write("[topics.last]\n")
		return cfg, err
	}
	if _, err := f.reload(); !errors.Is(err, errBeingWritten) {
		t.Fatalf("it changed while it was read: %v", err)
	}
	f.load = config.Load
	if !f.changed() {
		t.Fatal("it is not read again")
	}
	cfg, err := f.reload()
	if err != nil {
		t.Fatal(err)
	}
	if got := cfg.Literal(); len(got) != 4 {
		t.Errorf("topics %v", got)
	}
	if again(f) {
		t.Error("it was read")
	}
}

// again says whether the file is to be read at one of the next two looks.
func again(f *configFile) bool {
	first := f.changed()
	return f.changed() || first
}
