package gateway_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// layer says how high each of our packages stands. A package may import only packages of a lower layer, so that
// "cmd -> gateway -> {ingest, producer, ...} -> {config, record, metrics}" cannot turn round.
var layer = map[string]int{
	"sluice/cmd/sluice": 7,

	"sluice/cmd/sluice/bench": 6,
	"sluice/cmd/sluice/dlt":   6,

	"sluice/gateway/realtest": 6, // tests of the whole gateway

	"sluice/gateway": 5,

	"sluice/gateway/admin": 4,
	"sluice/gateway/guest": 3,

	"sluice/gateway/deadletter":      2,
	"sluice/gateway/embedded":        2,
	"sluice/gateway/ingest":          2,
	"sluice/gateway/kafkatest":       2, // and only tests may import it
	"sluice/gateway/partitioner":     2,
	"sluice/gateway/producer":        2,
	"sluice/gateway/registry":        2,
	"sluice/gateway/schema":          2,
	"sluice/gateway/schema/embedded": 2,
	"sluice/gateway/spool":           2,
	"sluice/gateway/toolchain":       2,
	"sluice/wasmhost":                2,

	"sluice/gateway/config":      1,
	"sluice/gateway/dirlock":     1,
	"sluice/gateway/idempotency": 1,
	"sluice/gateway/metrics":     1,
	"sluice/gateway/record":      1,
	"sluice/wasmhost/compile":    1,

	"sluice/gateway/drill":       3, // runs a gateway as a process of its own
	"sluice/gateway/drill/check": 1,
	"sluice/gateway/localkafka":  1,

	"sluice/wasmhost/conformance": 3, // tests of guests
	"sluice/modules":              1,

	"sluice/gateway/schema/avro":       1,
	"sluice/gateway/schema/jsonschema": 1,
	"sluice/gateway/schema/protobuf":   1,
	"sluice/gateway/schema/jsontext":   0,
	"sluice/gateway/schema/codec":      -1, // the words of all of them
	"sluice/gateway/schema/nodetest":   0,  // and only tests may import it

	"sluice/guest-sdk":      0,
	"sluice/guest-sdk/abi":  0,
	"sluice/wasmhost/meter": 0,
}

// guests are folders of what runs in the sandbox. They need nothing but the standard library and the SDK.
var guests = []string{"sluice/guest-sdk/", "sluice/modules/", "sluice/gateway/toolchain/templates/"}

// homes says which packages may import a library; the longest prefix counts. kafkatest is test code.
var homes = map[string][]string{
	"github.com/bufbuild/protocompile":         {"sluice/gateway/schema/protobuf"},
	"github.com/google/go-cmp":                 {"sluice/wasmhost/conformance"}, // and any test
	"github.com/klauspost/compress":            {"sluice/gateway/ingest"},
	"github.com/pelletier/go-toml/v2":          {"sluice/gateway/config"},
	"github.com/pierrec/lz4/v4":                {"sluice/gateway/producer"},
	"github.com/prometheus/client_golang":      {"sluice/gateway/metrics"},
	"github.com/santhosh-tekuri/jsonschema/v6": {"sluice/gateway/schema/jsonschema"},
	"github.com/spf13/cobra":                   {"sluice/cmd/sluice", "sluice/cmd/sluice/bench"},
	"github.com/spf13/pflag":                   {"sluice/cmd/sluice", "sluice/cmd/sluice/bench"},
	"github.com/twmb/franz-go/pkg":             {"sluice/gateway/producer", "sluice/cmd/sluice/bench", "sluice/cmd/sluice/dlt", "sluice/gateway/drill", "sluice/gateway/kafkatest"},
	"github.com/twmb/franz-go/pkg/kfake":       {"sluice/gateway/embedded", "sluice/cmd/sluice/bench", "sluice/gateway/kafkatest"},
	"github.com/twmb/avro":                     {"sluice/gateway/schema/avro"},
	"github.com/twmb/franz-go/pkg/sr":          {"sluice/gateway/schema", "sluice/gateway/schema/embedded"},
	"github.com/twmb/franz-go/pkg/kmsg":        {"sluice/gateway/producer", "sluice/cmd/sluice/bench", "sluice/cmd/sluice/dlt", "sluice/gateway/drill", "sluice/gateway/embedded"}, // embedded asks which API keys exist
	"github.com/valyala/fasthttp":              {"sluice/gateway/ingest", "sluice/cmd/sluice/bench"},
	"github.com/tetratelabs/wazero":            {"sluice/wasmhost", "sluice/wasmhost/compile"},
	"golang.org/x/sync/singleflight":           {"sluice/gateway"},
	"golang.org/x/sys/unix":                    {"sluice/gateway/localkafka"},
	"google.golang.org/protobuf":               {"sluice/gateway/schema/protobuf"},
}

// never is what a package may not need even through others.
var never = map[string][]string{
	"sluice/gateway/drill/check":       {"sluice/", "github.com/"}, // it judges the gateway, so it knows nothing of it
	"sluice/gateway/idempotency":       {"sluice/", "net/http"},
	"sluice/gateway/ingest":            {"github.com/twmb/franz-go", "sluice/gateway/producer"},
	"sluice/gateway/producer":          {"github.com/valyala/fasthttp", "sluice/gateway/ingest"},
	"sluice/gateway/record":            {"sluice/"},
	"sluice/gateway/registry":          {"sluice/wasmhost", "github.com/"},
	"sluice/gateway/schema/jsonschema": {"github.com/twmb", "github.com/valyala", "net/http", "sluice/gateway/config"}, // a $ref is never fetched
	"sluice/gateway/schema/protobuf":   {"github.com/twmb", "github.com/valyala", "sluice/gateway/config"},
	"sluice/gateway/spool":             {"sluice/gateway/record", "sluice/gateway/config", "net/http", "github.com/"},
	"sluice/wasmhost":                  {"sluice/gateway", "net/http", "github.com/twmb", "github.com/valyala", "github.com/pelletier"},
}

// goPackage is what go list tells of a package, its tests left out.
type goPackage struct {
	ImportPath, Doc string
	Imports, Deps   []string
}

func listPackages(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Doc,Imports,Deps", "sluice/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var pkgs []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

func TestImportsPointOneWay(t *testing.T) {
	for _, p := range listPackages(t) {
		from, ok := layer[p.ImportPath]
		if !ok && isGuest(p.ImportPath) {
			checkGuest(t, p)
			continue
		}
		if !ok {
			t.Errorf("%s has no layer: add it to the table", p.ImportPath)
			continue
		}
		if p.Doc == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
		for _, i := range p.Imports {
			to, ours := layer[i]
			switch {
			case ours && to >= from:
				t.Errorf("%s imports %s, which is not below it", p.ImportPath, i)
			case i == "sluice/gateway/kafkatest", i == "sluice/gateway/schema/nodetest":
				t.Errorf("%s imports %s, which is for tests", p.ImportPath, i)
			}
		}
		for _, bad := range never[p.ImportPath] {
			if i := slices.IndexFunc(p.Deps, func(d string) bool { return strings.HasPrefix(d, bad) }); i >= 0 {
				t.Errorf("%s needs %s", p.ImportPath, p.Deps[i])
			}
		}
	}
}

func isGuest(path string) bool {
	return slices.ContainsFunc(guests, func(g string) bool { return strings.HasPrefix(path, g) })
}

func checkGuest(t *testing.T, p goPackage) {
	t.Helper()
	for _, i := range p.Imports {
		if host, _, _ := strings.Cut(i, "/"); strings.Contains(host, ".") || host == "sluice" && !strings.HasPrefix(i, "sluice/guest-sdk/") {
			t.Errorf("%s imports %s: a guest needs the standard library and the SDK only", p.ImportPath, i)
		}
	}
}

func TestLibrariesStayAtHome(t *testing.T) {
	for _, p := range listPackages(t) {
		for _, i := range p.Imports {
			if host, _, _ := strings.Cut(i, "/"); !strings.Contains(host, ".") {
				continue // the standard library, or ours
			}
			library := ""
			for l := range homes {
				if (i == l || strings.HasPrefix(i, l+"/")) && len(l) > len(library) {
					library = l
				}
			}
			if !slices.Contains(homes[library], p.ImportPath) {
				t.Errorf("%s imports %s, whose home is %v: keep it there, or give it a home in the table", p.ImportPath, i, homes[library])
			}
		}
	}
}
