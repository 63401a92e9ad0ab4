package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// defaultAdmin is where a gateway's admin plane listens if nobody says otherwise.
const defaultAdmin = "http://127.0.0.1:8081"

// remote is the admin plane of a gateway that runs.
type remote struct {
	admin  string
	asJSON bool
	out    io.Writer
	errOut io.Writer
}

// remoteCommand makes a command that talks to a gateway.
func remoteCommand(use, short, long string, args cobra.PositionalArgs, run func(ctx context.Context, r *remote, args []string) error) *cobra.Command {
	r := &remote{}
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long, Args: args,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := r.check(); err != nil {
				return err
			}
			r.out, r.errOut = cmd.OutOrStdout(), cmd.ErrOrStderr()
			ctx, cancel := untilSignal(cmd)
			defer cancel()
			return run(ctx, r, args)
		},
	}
	admin := os.Getenv("SLUICE_ADMIN")
	if admin == "" {
		admin = defaultAdmin
	}
	cmd.Flags().StringVar(&r.admin, "admin", admin, "`URL` of the gateway's admin plane; SLUICE_ADMIN sets the default")
	cmd.Flags().BoolVar(&r.asJSON, "json", false, "print JSON")
	return cmd
}

func (r *remote) check() error {
	if !strings.Contains(r.admin, "://") {
		r.admin = "http://" + r.admin
	}
	u, err := url.Parse(r.admin)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return usageError{fmt.Errorf("--admin %q: it must be a URL such as %s", r.admin, defaultAdmin)}
	}
	r.admin = strings.TrimSuffix(r.admin, "/")
	return nil
}

// problem is an error as the admin plane answers it.
type problem struct {
	Status   int
	Code     string
	Detail   string
	Problems []struct {
		Rule, Message string
		Offset        *int
	}
}

// problemError is what a gateway did not want to do.
type problemError struct{ problem }

func (e *problemError) Error() string {
	if len(e.Problems) == 0 {
		return e.Detail
	}
	var b strings.Builder
	fmt.Fprintf(&b, "the module is refused, for %d reasons:", len(e.Problems))
	if len(e.Problems) == 1 {
		b.Reset()
		b.WriteString("the module is refused:")
	}
	for _, p := range e.Problems {
		fmt.Fprintf(&b, "\n  %s: %s", p.Rule, p.Message)
		if p.Offset != nil {
			fmt.Fprintf(&b, " (at byte %d)", *p.Offset)
		}
	}
	return b.String()
}

const (
	typeJSON  = "application/json"
	typeWasm  = "application/wasm"
	typeLines = "application/vnd.sluice.records+ndjson"
)

// request is one request to the admin plane.
type request struct {
	method string
	path   string // escaped, with its query
	header http.Header
	body   io.Reader
}

// open sends a request and returns its answer, if that is no error. The caller closes the body.
func (r *remote) open(ctx context.Context, q request) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, q.method, r.admin+q.path, q.body)
	if err != nil {
		return nil, err
	}
	if q.header != nil {
		req.Header = q.header
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err
		}
		return nil, fmt.Errorf("no gateway answers at %s (--admin, SLUICE_ADMIN): %w", r.admin, err)
	}
	if resp.StatusCode < http.StatusBadRequest {
		return resp, nil
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	var p problem
	if json.Unmarshal(text, &p) != nil || p.Detail == "" {
		return nil, fmt.Errorf("%s answered %s: %s", r.admin, resp.Status, bytes.TrimSpace(text))
	}
	return nil, &problemError{p}
}

// do sends a request and reads the answer into what into points to. With --json it prints the answer and returns false.
func (r *remote) do(ctx context.Context, q request, into any) (show bool, err error) {
	resp, err := r.open(ctx, q)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return false, fmt.Errorf("the answer of %s broke off: %w", r.admin, err)
	}
	if r.asJSON {
		return false, r.printAnswer(text)
	}
	if into == nil || len(text) == 0 {
		return true, nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return false, fmt.Errorf("the answer of %s is not understood, is it a gateway of this version? %w", r.admin, err)
	}
	return true, nil
}

// printAnswer prints JSON for people to read, in the order in which it came.
func (r *remote) printAnswer(text []byte) error {
	if len(text) == 0 {
		text = []byte("{}") // of a removal
	}
	var b bytes.Buffer
	if err := json.Indent(&b, bytes.TrimSpace(text), "", "  "); err != nil {
		return fmt.Errorf("the answer of %s is not JSON: %w", r.admin, err)
	}
	b.WriteByte('\n')
	_, err := r.out.Write(b.Bytes())
	return err
}

// sendJSON makes a request with a JSON body.
func sendJSON(method, path string, body any) (request, error) {
	text, err := json.Marshal(body)
	return request{method: method, path: path, header: http.Header{"Content-Type": {typeJSON}}, body: bytes.NewReader(text)}, err
}

// modulePath is the path of a module, which may be a file's or folder's name.
func modulePath(name string, more ...string) string {
	var path strings.Builder
	path.WriteString("/v1/modules")
	for _, part := range append([]string{name}, more...) {
		path.WriteString("/" + url.PathEscape(part))
	}
	return path.String()
}
