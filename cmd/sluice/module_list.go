package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"sluice/gateway/admin"
	"sluice/gateway/registry"
)

func moduleListCommand() *cobra.Command {
	return remoteCommand("list", "List the modules of a gateway", "", noArgs, func(ctx context.Context, r *remote, _ []string) error {
		var list struct{ Modules []admin.ModuleSummary }
		show, err := r.do(ctx, request{method: http.MethodGet, path: "/v1/modules", body: http.NoBody}, &list)
		if !show {
			return err
		}
		w := tabwriter.NewWriter(r.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "NAME\tACTIVE\tCANDIDATE\tVERSIONS\tKIND\tBOUND TO")
		for _, m := range list.Modules {
			if m.Damaged != "" {
				fmt.Fprintf(w, "%s\tdamaged: %s\n", m.Name, m.Damaged)
				continue
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\n", m.Name, registry.Short(m.Active), orDash(candidateText(m.Candidate)), m.Versions,
				orDash(strings.Join(m.Kinds, ", ")), orDash(boundText(m.Bindings)))
		}
		return w.Flush()
	})
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func candidateText(c *registry.Candidate) string {
	switch {
	case c == nil:
		return ""
	case c.Mode == registry.Canary:
		return fmt.Sprintf("%s canary %v %%", registry.Short(c.Version), c.Percent)
	default:
		return fmt.Sprintf("%s %s", registry.Short(c.Version), c.Mode)
	}
}

func boundText(bindings []admin.Binding) string {
	topics := make([]string, 0, len(bindings))
	for _, b := range bindings {
		if !slices.Contains(topics, b.Topic) {
			topics = append(topics, b.Topic)
		}
	}
	return strings.Join(topics, ", ")
}

func moduleShowCommand() *cobra.Command {
	return remoteCommand("show NAME", "Show a module: its versions, bindings, statistics and faults", "", betweenArgs(1, 1),
		func(ctx context.Context, r *remote, args []string) error {
			var m admin.ModuleState
			show, err := r.do(ctx, request{method: http.MethodGet, path: modulePath(args[0]), body: http.NoBody}, &m)
			if show {
				printModule(r.out, m)
			}
			return err
		})
}

func printModule(w io.Writer, m admin.ModuleState) {
	fmt.Fprintf(w, "%s", m.Name)
	if len(m.Kinds) > 0 {
		fmt.Fprintf(w, ": %s", strings.Join(m.Kinds, " and "))
	}
	fmt.Fprintln(w)
	for _, v := range m.Versions {
		printVersion(w, v)
	}
	if m.Note != "" {
		fmt.Fprintf(w, "last change: %s\n", m.Note)
	}
	for _, b := range m.Bindings {
		printBinding(w, b)
	}
	for _, f := range m.Faults {
		fmt.Fprintf(w, "fault %s %s, %d times, last %s, topic %s, version %s: %s\n", f.Hook, f.Cause, f.Count, f.Last.Local().Format(time.DateTime),
			f.Topic, registry.Short(f.Version), f.Text)
	}
}

func printVersion(w io.Writer, v admin.VersionState) {
	state := v.State
	if v.Mode != "" {
		state = v.Mode
	}
	if v.Percent > 0 {
		state += fmt.Sprintf(" %v %%", v.Percent)
	}
	fmt.Fprintf(w, "version %s  %s", registry.Short(v.ID), state)
	if v.Uploaded != nil {
		fmt.Fprintf(w, ", %d bytes, %s %s", v.Size, v.Origin.Kind, v.Uploaded.Local().Format(time.DateTime))
	}
	if v.Damaged != "" {
		fmt.Fprintf(w, ", damaged: %s", v.Damaged)
	}
	fmt.Fprintln(w)
	if v.Stats != nil {
		printStats(w, v.Stats)
	}
}

func printStats(w io.Writer, s *admin.Stats) {
	i := s.Instances
	fmt.Fprintf(w, "  instances: %d live, %d idle, %d discarded, %d recycled; memory %s\n", i.Live, i.Idle, i.Discarded, i.Recycled, bytesText(s.Memory))
	for _, name := range slices.Sorted(maps.Keys(s.Hooks)) {
		h := s.Hooks[name]
		fmt.Fprintf(w, "  %s: %d records in %d calls; %d changed, %d dropped, %d routed", name, h.Records, h.Calls, h.Changed, h.Dropped, h.Routed)
		for _, cause := range slices.Sorted(maps.Keys(h.Errors)) {
			fmt.Fprintf(w, ", %d %s", h.Errors[cause], cause)
		}
		fmt.Fprintln(w)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Counters)) {
		fmt.Fprintf(w, "  counter %s: %d\n", name, s.Counters[name])
	}
}

func printBinding(w io.Writer, b admin.Binding) {
	fmt.Fprintf(w, "bound as %s of topic %s by %s, on_error %s", b.Kind, b.Topic, b.Origin, b.OnError)
	if len(b.Config) > 0 && string(b.Config) != "{}" {
		fmt.Fprintf(w, ", config %s", b.Config)
	}
	if b.Instances > 0 {
		fmt.Fprintf(w, ", %d instances", b.Instances)
	}
	if b.Refused != "" {
		fmt.Fprintf(w, ", records are refused: %s", b.Refused)
	}
	for _, s := range b.Serving {
		if s.Breaker != "closed" {
			fmt.Fprintf(w, ", breaker of %s %s", registry.Short(s.Version), s.Breaker)
		}
	}
	if b.Compared > 0 {
		fmt.Fprintf(w, ", shadow differed on %d of %d records", b.Differed, b.Compared)
	}
	fmt.Fprintln(w)
}
