package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"sluice/gateway/admin"
	"sluice/gateway/registry"
)

func moduleActivateCommand() *cobra.Command {
	return noted("activate NAME VERSION", "Make a version the one that runs", 2, func(args []string, note string) (request, error) {
		return sendJSON(http.MethodPut, modulePath(args[0], "active"), admin.Activation{Version: args[1], Note: note})
	})
}

func moduleCanaryCommand() *cobra.Command {
	return noted("canary NAME VERSION PERCENT", "Let a version run for a part of the record keys", 3, func(args []string, note string) (request, error) {
		percent, err := strconv.ParseFloat(args[2], 64)
		if err != nil || !(percent > 0 && percent <= 100) {
			return request{}, usageError{fmt.Errorf("PERCENT %q: it must be over 0 and at most 100", args[2])}
		}
		return sendJSON(http.MethodPut, modulePath(args[0], "active"), admin.Activation{Version: args[1], Percent: &percent, Note: note})
	})
}

func moduleShadowCommand() *cobra.Command {
	return noted("shadow NAME VERSION", "Let a version run on copies of the records, to compare", 2, func(args []string, note string) (request, error) {
		return sendJSON(http.MethodPut, modulePath(args[0], "active"), admin.Activation{Version: args[1], Shadow: true, Note: note})
	})
}

func modulePromoteCommand() *cobra.Command {
	return noted("promote NAME", "Make the candidate the version that runs", 1, func(args []string, note string) (request, error) {
		return sendJSON(http.MethodPost, modulePath(args[0], "promote"), admin.Change{Note: note})
	})
}

func moduleRollbackCommand() *cobra.Command {
	return noted("rollback NAME", "Make the version before the one that runs", 1, func(args []string, note string) (request, error) {
		return sendJSON(http.MethodPost, modulePath(args[0], "rollback"), admin.Change{Note: note})
	})
}

func moduleCancelCommand() *cobra.Command {
	return changing("cancel NAME", "End the trial of a candidate", 1, func(args []string) (request, error) {
		return request{method: http.MethodDelete, path: modulePath(args[0], "candidate"), body: http.NoBody}, nil
	})
}

// noted is changing for a change that takes a note.
func noted(use, short string, n int, make func(args []string, note string) (request, error)) *cobra.Command {
	var note string
	cmd := changing(use, short, n, func(args []string) (request, error) { return make(args, note) })
	cmd.Flags().StringVar(&note, "note", "", "`why`, for who looks at the module later")
	return cmd
}

// changing is a command that changes which versions of a module run, and shows what runs then.
func changing(use, short string, n int, make func(args []string) (request, error)) *cobra.Command {
	return remoteCommand(use, short, "", betweenArgs(n, n), func(ctx context.Context, r *remote, args []string) error {
		q, err := make(args)
		if err != nil {
			return err
		}
		var m admin.ModuleState
		show, err := r.do(ctx, q, &m)
		if show {
			r.printRollout(m)
		}
		return err
	})
}

func (r *remote) printRollout(m admin.ModuleState) {
	fmt.Fprintf(r.out, "%s: %s is active", m.Name, registry.Short(m.Active))
	if c := candidateText(m.Candidate); c != "" {
		fmt.Fprintf(r.out, "; beside it %s", c)
	}
	fmt.Fprintln(r.out)
}

func moduleRemoveCommand() *cobra.Command {
	return remoteCommand("remove NAME [VERSION]", "Remove a module, or one version of it", "", betweenArgs(1, 2),
		func(ctx context.Context, r *remote, args []string) error {
			path, what := modulePath(args[0]), args[0]
			if len(args) == 2 {
				path, what = modulePath(args[0], "versions", args[1]), args[0]+" "+args[1]
			}
			show, err := r.do(ctx, request{method: http.MethodDelete, path: path, body: http.NoBody}, nil)
			if show {
				fmt.Fprintf(r.out, "%s: removed\n", what)
			}
			return err
		})
}

// topicPath is the path of a topic's partitioner or interceptors.
func topicPath(topic, kind string) string { return "/v1/topics/" + url.PathEscape(topic) + "/" + kind }
