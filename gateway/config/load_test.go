package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const wantMark = "#! " // an expected error, without the file's name

// TestBadFiles holds that a file is refused with exactly the errors that its first lines list.
func TestBadFiles(t *testing.T) {
	for _, path := range files(t, "testdata/*.bad.toml") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			if *update {
				rewrite(t, path)
			}
			data := read(t, path)
			var want []string
			for line := range strings.Lines(data) {
				if rest, ok := strings.CutPrefix(line, wantMark); ok {
					want = append(want, strings.TrimSuffix(rest, "\n"))
				}
			}
			got := parseErrors(t, data)
			if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
				t.Errorf("%s (-file +Parse)\n%s", path, diff)
			}
		})
	}
}

// parseErrors returns the errors of data, without the file's name.
func parseErrors(t *testing.T, data string) []string {
	t.Helper()
	c, err := Parse("f", []byte(data))
	var es Errors
	if !errors.As(err, &es) || c != nil {
		t.Fatalf("Parse = %v, %v: want no Config and Errors", c, err)
	}
	var out []string
	for line := range strings.Lines(err.Error()) {
		out = append(out, strings.TrimPrefix(strings.TrimSuffix(line, "\n"), "f:"))
	}
	return out
}

// rewrite puts the errors of a file into its first lines.
func rewrite(t *testing.T, path string) {
	t.Helper()
	var body strings.Builder
	for line := range strings.Lines(read(t, path)) {
		if !strings.HasPrefix(line, wantMark) {
			body.WriteString(line)
		}
	}
	n := len(parseErrors(t, body.String()))
	var head strings.Builder
	for _, e := range parseErrors(t, strings.Repeat(wantMark+"\n", n)+body.String()) {
		head.WriteString(wantMark + e + "\n")
	}
	if err := os.WriteFile(path, []byte(head.String()+body.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestGoodFiles holds that a file is taken, and that settings have the values and origins which its leading comments
// list as "# topic key = value (origin)".
func TestGoodFiles(t *testing.T) {
	for _, path := range files(t, "testdata/*.good.toml") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			c, err := Load(path)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for line := range strings.Lines(read(t, path)) {
				comment, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "# ")
				if !ok {
					break
				}
				topic, want, ok := strings.Cut(comment, " ")
				if ok && strings.Contains(want, " = ") {
					n++
					checkExplained(t, c, topic, want)
				}
			}
			if n == 0 {
				t.Error("expects nothing")
			}
		})
	}
}

func checkExplained(t *testing.T, c *Config, topic, want string) {
	t.Helper()
	key, _, _ := strings.Cut(want, " = ")
	r, _ := c.Explain(topic)
	settings := r.Settings
	for _, s := range c.Report().Sections { // a section may be asked for instead of a topic
		if "["+s.Name+"]" == topic {
			settings = s.Settings
		}
	}
	for _, s := range settings {
		if s.Name != key {
			continue
		}
		if got := fmt.Sprintf("%s = %s (%s)", s.Name, plain(s.Value), s.Origin); got != want {
			t.Errorf("%s: got %s, want %s", topic, got, want)
		}
		return
	}
	t.Errorf("%s: %s is not reported", topic, key)
}

func TestLoadMissingFile(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "none.toml"))
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Load = %v, want os.ErrNotExist", err)
	}
}

// TestLoadHugeFile holds that a file that would keep the decoder busy for minutes is refused unread.
func TestLoadHugeFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "huge.toml")
	if err := os.WriteFile(path, []byte(strings.Repeat("#", maxFile+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), path+": a configuration has at most 524288 bytes") {
		t.Error(err)
	}
	if err := os.Truncate(path, maxFile); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err != nil && strings.Contains(err.Error(), "bytes") {
		t.Error(err)
	}
}

// TestSample holds that the sample configuration at the root of the repository is one, and is what it says.
func TestSample(t *testing.T) {
	c, err := Load("../../config.toml")
	if err != nil {
		t.Fatal(err)
	}
	if !c.Kafka.IsEmbedded() {
		t.Errorf("bootstrap.servers = %v: the sample must run without a cluster", c.Kafka.Bootstrap)
	}
	if orders, ok := c.Topic("orders"); !ok || orders.Profile != "durable" || orders.Table != "orders" {
		t.Errorf("orders = %+v, %v", orders, ok)
	}
	if other, ok := c.Topic("anything"); !ok || other.Table != "*" {
		t.Errorf("anything = %+v, %v", other, ok)
	}
}

// TestDefault holds what is in force without a file.
func TestDefault(t *testing.T) {
	f := interpret(scan("", nil))
	f.global["kafka"] = layer{"bootstrap.servers": {value: []string{embedded}}}
	if _, errs := build(f); len(errs) > 0 {
		t.Fatalf("the defaults break rules:\n%v", errs)
	}
	c := Default()
	if !c.Kafka.IsEmbedded() || !c.Kafka.AutoCreateTopics || c.File != "" {
		t.Errorf("Kafka = %+v, File = %q", c.Kafka, c.File)
	}
	want := Embedded{Listen: "127.0.0.1:9092", DataDir: "data", NumPartitions: 3}
	if diff := cmp.Diff(want, c.Embedded); diff != "" {
		t.Error(diff)
	}
	if c.HTTP.Listen != "127.0.0.1:8080" || c.Admin.Listen != "127.0.0.1:8081" || c.ShutdownTimeout.Seconds() != 30 {
		t.Errorf("%+v %+v %v", c.HTTP, c.Admin, c.ShutdownTimeout)
	}
	if _, ok := c.Topic("any"); !ok {
		t.Error("the default must be open to every topic")
	}
}

// TestSecretsAreMasked holds that no password gets into a report or an error.
func TestSecretsAreMasked(t *testing.T) {
	head := "[kafka]\nbootstrap.servers = \"b:9092\"\n"
	good := head + "security.protocol = \"SASL_PLAINTEXT\"\nsasl.mechanism = \"PLAIN\"\nsasl.username = \"u\"\nsasl.password = \"hush\"\n"
	c, err := Parse("f", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := c.Report().WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{
		head + "sasl.password = \"hush\"", head + "sasl.password = [\"hush\"]", head + "sasl.jaas.config = \"hush\"",
		strings.Replace(good, "sasl.username", "sasl.jaas.config = \"hush\"\nsasl.username", 1), head + "ssl.key.password = \"hush\"",
	} {
		text.WriteString(strings.Join(parseErrors(t, bad), "\n"))
	}
	if strings.Contains(text.String(), "hush") || strings.Count(text.String(), masked) < 5 {
		t.Errorf("a secret shows, or is not masked:\n%s", text.String())
	}
}

func files(t *testing.T, glob string) []string {
	t.Helper()
	paths, err := filepath.Glob(glob)
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: no files, %v", glob, err)
	}
	return paths
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
