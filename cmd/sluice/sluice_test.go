package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// binary builds the command once for the tests that need a real process.
func binary(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sluice")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestExitStatuses(t *testing.T) {
	sluice := binary(t)
	bad := write(t, "[kafka]\nbootstrap.servers = \"embedded\"\n[producer]\nacks = \"two\"\nlinger.msec = 5\n")
	for _, c := range []struct {
		args   string
		status int
		want   string // in stdout or stderr
	}{
		{"", 0, "Available Commands"},
		{"--help", 0, "Available Commands"},
		{"serve --help", 0, "--config"},
		{"version", 0, "sluice "},
		{"check", 0, "max.block.ms"},
		{"check --json", 0, `"sections"`},
		{"completion bash", 0, "bash completion"},
		{"check --config " + bad, 1, "config.toml:4: producer.acks"},
		{"check --config " + bad, 1, "config.toml:5: producer.linger.msec"},
		{"check --config /nowhere.toml", 1, "nowhere.toml"},
		{"serve --config " + bad, 1, "config.toml:4: producer.acks"},
		{"nonsense", 2, `unknown command "nonsense"`},
		{"serve --nonsense", 2, "unknown flag"},
		{"check extra", 2, "extra"},
		{"bench --connections many", 2, "connections"},
		{"bench --connections 0", 2, "connections"},
	} {
		t.Run(c.args, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), sluice, strings.Fields(c.args)...)
			cmd.Dir = t.TempDir()
			out, err := cmd.CombinedOutput()
			status := 0
			if exit, ok := errors.AsType[*exec.ExitError](err); ok {
				status = exit.ExitCode()
			} else if err != nil {
				t.Fatal(err)
			}
			if status != c.status || !bytes.Contains(out, []byte(c.want)) {
				t.Errorf("exit status %d, want %d with %q in:\n%s", status, c.status, c.want, out)
			}
		})
	}
}

func TestCheckJSONIsWhole(t *testing.T) {
	cmd := newRoot()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetArgs([]string{"check", "--json", "--config", "../../config.toml"})
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	var report struct {
		Topics []struct {
			Pattern  string
			Settings []struct{ Name, Origin string }
		}
	}
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Topics) != 2 || report.Topics[0].Pattern != "orders" || len(report.Topics[0].Settings) < 20 {
		t.Fatalf("report %+v", report)
	}
}

// TestServeAsAUserWould starts the command on the embedded broker, does what it suggests, and stops it.
func TestServeAsAUserWould(t *testing.T) {
	sluice := binary(t)
	dir := t.TempDir()
	config := "[kafka]\nbootstrap.servers = \"embedded\"\n[embedded]\nlisten = \"127.0.0.1:0\"\n[http]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n[topics.orders]\n"
	if err := os.WriteFile(filepath.Join(dir, "config.toml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	for round := range 2 { // the second one finds the records of the first
		cmd := exec.CommandContext(t.Context(), sluice, "serve")
		cmd.Dir = dir
		var errOut bytes.Buffer
		cmd.Stderr = &errOut
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		url := tryLine(t, bufio.NewScanner(out))
		if got, want := offset(t, url), fmt.Sprint(round); got != want {
			t.Errorf("offset %s, want %s", got, want)
		}
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Fatalf("exit: %v\n%s", err, errOut.String())
		}
		if !strings.Contains(errOut.String(), "flushed=") {
			t.Errorf("the log does not say what was flushed:\n%s", errOut.String())
		}
	}
}

// tryLine reads the greeting up to the curl line and returns its URL.
func tryLine(t *testing.T, lines *bufio.Scanner) string {
	t.Helper()
	curl := regexp.MustCompile(`curl -d .* (http://\S+)`)
	for lines.Scan() {
		if m := curl.FindStringSubmatch(lines.Text()); m != nil {
			return m[1]
		}
	}
	t.Fatal("the greeting has no curl line")
	return ""
}

// offset sends a record with the key k and returns the offset in the answer.
func offset(t *testing.T, url string) string {
	t.Helper()
	client := http.Client{Timeout: 30 * time.Second}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(`{"a":1}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Kafka-Key", "k")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var a struct{ Offset json.Number }
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("answer %s, %v", resp.Status, err)
	}
	return a.Offset.String()
}
