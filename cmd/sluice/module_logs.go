package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/gateway/admin"
	"sluice/gateway/guest"
	"sluice/gateway/registry"
)

func moduleLogsCommand() *cobra.Command {
	var follow bool
	var lines int
	var level string
	cmd := remoteCommand("logs NAME", "Print what a module logs, the oldest line first", "With --follow, each line as it comes; with --json, one JSON object a line.",
		betweenArgs(1, 1), func(ctx context.Context, r *remote, args []string) error {
			if lines < 0 {
				return usageError{fmt.Errorf("--lines %d: it must not be negative", lines)}
			}
			query := url.Values{"limit": {strconv.Itoa(lines)}}
			if level != "" {
				query.Set("level", level)
			}
			q := request{method: http.MethodGet, path: modulePath(args[0], "logs") + "?" + query.Encode(), header: http.Header{}, body: http.NoBody}
			if follow {
				return r.follow(ctx, q)
			}
			resp, err := r.open(ctx, q)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			var log admin.Log
			if err := json.NewDecoder(resp.Body).Decode(&log); err != nil {
				return fmt.Errorf("the answer of %s is not understood: %w", r.admin, err)
			}
			for _, l := range slices.Backward(log.Lines) {
				r.printLine(l)
			}
			return nil
		})
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with new lines")
	cmd.Flags().IntVarP(&lines, "lines", "n", 100, "`how many` of the lines that are kept")
	cmd.Flags().StringVar(&level, "level", "", "only lines of this `level` or a higher one: "+strings.Join(guest.Levels(), ", "))
	return cmd
}

func (r *remote) printLine(l guest.LogLine) {
	if r.asJSON {
		_ = json.NewEncoder(r.out).Encode(l) // a pipe that was closed ends the command
		return
	}
	fmt.Fprintf(r.out, "%s %s %-5s %s\n", l.Time.Local().Format("15:04:05.000"), registry.Short(l.Version), l.Level, l.Text)
}

// follow prints lines until the gateway stops or ctx ends.
func (r *remote) follow(ctx context.Context, q request) error {
	q.header.Set("Accept", "text/event-stream")
	resp, err := r.open(ctx, q)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	event := ""
	in := bufio.NewScanner(resp.Body)
	for in.Scan() {
		name, value, _ := strings.Cut(in.Text(), ": ")
		switch {
		case name == "event":
			event = value
		case name == "data" && event == "line":
			var l guest.LogLine
			if err := json.Unmarshal([]byte(value), &l); err != nil {
				return fmt.Errorf("a line of %s is not understood: %w", r.admin, err)
			}
			r.printLine(l)
		case name == "data" && event == "end":
			progress(r.errOut, "%s: the gateway stops, %s", r.admin, time.Now().Format(time.TimeOnly))
			return nil
		}
	}
	if ctx.Err() != nil {
		return nil // Ctrl-C is how this ends
	}
	if err := in.Err(); err != nil {
		return fmt.Errorf("the log broke off: %w", err)
	}
	return fmt.Errorf("the log broke off: %w", io.ErrUnexpectedEOF)
}
