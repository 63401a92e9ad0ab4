package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"

	"github.com/spf13/cobra"

	"sluice/gateway/admin"
)

func moduleTryCommand() *cobra.Command {
	var f trialFlags
	var cmd *cobra.Command
	cmd = remoteCommand("try NAME [VERSION] --in FILE", "Run a version on records in a gateway, which sends nothing",
		"Run a version, by default the active one, on records under the gateway's limits. Nothing is sent, and nothing that serves is touched.",
		betweenArgs(1, 2), func(ctx context.Context, r *remote, args []string) error {
			if f.in == "" {
				return usageError{errors.New("--in is missing: a file of records, or - for stdin")}
			}
			version := "active"
			if len(args) == 2 {
				version = args[1]
			}
			t, err := f.trial()
			if err != nil {
				return err
			}
			lines, before, err := readRecords(f.in, cmd.InOrStdin())
			if err != nil {
				return err
			}
			body, err := withRecords(t, lines)
			if err != nil {
				return err
			}
			var result admin.TryResult
			show, err := r.do(ctx, request{
				method: http.MethodPost, path: modulePath(args[0], "versions", version, "try"),
				header: http.Header{"Content-Type": {typeJSON}}, body: bytes.NewReader(body),
			}, &result)
			if show {
				newPaper(r.out).result(before, result)
			}
			return err
		})
	f.add(cmd)
	return cmd
}
