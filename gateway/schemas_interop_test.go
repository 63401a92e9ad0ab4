package gateway

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"

	"sluice/gateway/kafkatest"
	"sluice/gateway/schema/codec"
	"sluice/gateway/schema/embedded"
)

// peer is an implementation of a format that is not ours. Its script asks the registry over HTTP for the schemas of the frames that it
// reads and writes.
type peer struct {
	format, library, script string
	schemas                 []peerSchema
	sent                    []peerValue // through the gateway as JSON, read by the peer
	written                 []peerValue // by the peer, with its own frame
}

// peerSchema is registered, in this order: ids count from 1.
type peerSchema struct {
	Subject    string          `json:"-"`
	Type       string          `json:"schemaType,omitempty"`
	Text       string          `json:"schema"`
	References []peerReference `json:"references,omitempty"`
}

type peerReference struct {
	Name    string `json:"name"`
	Subject string `json:"subject"`
	Version int    `json:"version"`
}

// peerValue is a value of a topic whose settings say which schema.
type peerValue struct {
	settings string // of sent
	id       int
	message  string // of Protobuf
	json     string // as it is sent
	object   string // as the peer has it; "" if that is the same
}

// TestIndependentImplementations holds that what the gateway writes is read by others, and that what others write passes as
// confluent-framed, but not with its end cut off, with another id or without a frame.
func TestIndependentImplementations(t *testing.T) {
	for _, p := range []peer{avscPeer(), protobufjsPeer(), ajvPeer()} {
		t.Run(p.library, func(t *testing.T) {
			script := p.find(t)
			registry, err := embedded.Start("127.0.0.1:0", "", slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = registry.Close() }()
			p.register(t, registry.URL())
			tables, topics := "[schema]\nregistry.url = '"+registry.URL()+"'\n[topics.framed]\nvalue.serializer = 'confluent-framed'\n", []string{"framed"}
			for i, v := range p.sent {
				topics = append(topics, fmt.Sprintf("t%d", i))
				tables += fmt.Sprintf("[topics.t%d]\nvalue.serializer = '%s'\n%s\n", i, p.format, v.settings)
			}
			c := fake(t, kfake.SeedTopics(1, topics...))
			r := serve(t, c.ListenAddrs(), tables)
			defer func() { _ = r.end() }()
			p.readsOurs(t, r, c, script, registry.URL())
			p.passesTheirs(t, r, c, script, registry.URL())
		})
	}
}

// find is the script of a peer whose library is installed.
func (p peer) find(t *testing.T) string {
	t.Helper()
	folder := filepath.Join("schema", p.format, "testdata", "interop")
	_, err := exec.LookPath("node")
	if err == nil {
		_, err = os.Stat(filepath.Join(folder, "node_modules", p.library))
	}
	if err != nil {
		kafkatest.Missing(t, "needs node and npm ci in gateway/%s: %v", folder, err)
	}
	return filepath.Join(folder, p.script)
}

func (p peer) register(t *testing.T, registry string) {
	t.Helper()
	for i, s := range p.schemas {
		body, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.Post(registry+"/subjects/"+url.PathEscape(s.Subject)+"/versions", "application/vnd.schemaregistry.v1+json", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		var a struct {
			ID      int
			Message string
		}
		if err := json.NewDecoder(resp.Body).Decode(&a); err != nil || a.ID != i+1 {
			t.Fatalf("%s has id %d, %s, %v", s.Subject, a.ID, a.Message, err)
		}
		resp.Body.Close()
	}
}

type peerAnswer struct {
	Read    []json.RawMessage
	Written []string
}

func ask(t *testing.T, script string, in map[string]any) (a peerAnswer) {
	t.Helper()
	text, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", filepath.Base(script))
	cmd.Dir, cmd.Stdin, cmd.Stderr = filepath.Dir(script), bytes.NewReader(text), os.Stderr
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &a)
	}
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return a
}

// readsOurs sends values as JSON and has the peer read what is in Kafka.
func (p peer) readsOurs(t *testing.T, r *rig, c *kfake.Cluster, script, registry string) {
	t.Helper()
	var stored []string
	for i, v := range p.sent {
		topic := fmt.Sprintf("t%d", i)
		r.post(r.url(topic), v.json).want(t, 200, "")
		value := read(t, c.ListenAddrs(), topic, 1)[0].Value
		if want := fmt.Sprintf("\x00\x00\x00\x00%c", v.id); !bytes.HasPrefix(value, []byte(want)) {
			t.Errorf("%s was written as %q, without the frame of schema %d", v.json, value, v.id)
		}
		stored = append(stored, hex.EncodeToString(value))
	}
	got := ask(t, script, map[string]any{"registry": registry, "read": stored}).Read
	if len(got) != len(p.sent) {
		t.Fatalf("%d of %d values", len(got), len(p.sent))
	}
	for i, v := range p.sent {
		if diff := cmp.Diff(parsed(t, v.of()), parsed(t, string(got[i]))); diff != "" {
			t.Errorf("%s is read by %s as (-want +got)\n%s", v.json, p.library, diff)
		}
	}
}

// of is what the peer reads.
func (v peerValue) of() string {
	text := v.object
	if text == "" {
		text = v.json
	}
	if v.message != "" {
		return fmt.Sprintf(`{"message":%q,"value":%s}`, v.message, text)
	}
	return text
}

func parsed(t *testing.T, text string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// passesTheirs sends what the peer wrote, and what is wrong with it.
func (p peer) passesTheirs(t *testing.T, r *rig, c *kfake.Cluster, script, registry string) {
	t.Helper()
	var write []map[string]any
	for _, v := range p.written {
		write = append(write, map[string]any{"id": v.id, "message": v.message, "value": parsed(t, v.object)})
	}
	written := ask(t, script, map[string]any{"registry": registry, "write": write}).Written
	if len(written) != len(p.written) {
		t.Fatalf("%d of %d values", len(written), len(p.written))
	}
	for i, text := range written {
		framed, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		r.post(r.url("framed"), string(framed[:len(framed)-1])).want(t, 422, "schema_mismatch")
		r.post(r.url("framed"), "\x01"+string(framed[1:])).want(t, 422, "schema_mismatch")
		r.post(r.url("framed"), "\x00\x00\x00\x03\xe7"+string(framed[5:])).want(t, 422, "schema_refused")
		a := r.post(r.url("framed"), p.written[i].json)
		if a.want(t, 422, "schema_mismatch"); strings.Contains(a.body, `"subject"`) || strings.Contains(a.body, `"schema_id"`) {
			t.Errorf("no schema is known: %s", a.body)
		}
		r.post(r.url("framed"), string(framed)).want(t, 200, "")
		all := read(t, c.ListenAddrs(), "framed", i+1)
		if got := all[i].Value; !bytes.Equal(got, framed) || len(all) != i+1 {
			t.Errorf("%x became %x, with %d records stored", framed, got, len(all))
		}
		out, _, err := r.g.schemas.Decode(t.Context(), nil, framed, codec.Options{})
		if diff := cmp.Diff(parsed(t, p.written[i].json), parsed(t, string(out))); err != nil || diff != "" {
			t.Errorf("what %s wrote is read here as (-want +got) %v\n%s", p.library, err, diff)
		}
	}
}
