package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"sluice/gateway/admin"
	"sluice/gateway/registry"
)

// bindFlags are the flags of bind.
type bindFlags struct {
	partitioner, config, onError, fallback string
	interceptors, routes                   []string
	instances                              int
}

func moduleBindCommand() *cobra.Command {
	var f bindFlags
	cmd := remoteCommand("bind TOPIC --partitioner NAME | --interceptors NAME[,NAME...]", "Bind modules to a topic of a gateway",
		`Bind a module to TOPIC as its partitioner, or one or more as its interceptors, in that order and instead of those there are. The
configuration goes to each. What the gateway's file binds cannot be bound here.`,
		betweenArgs(1, 1), func(ctx context.Context, r *remote, args []string) error {
			q, err := f.request(args[0])
			if err != nil {
				return err
			}
			var t admin.TopicState
			show, err := r.do(ctx, q, &t)
			if !show {
				return err
			}
			for _, b := range t.Bindings {
				fmt.Fprintf(r.out, "%s: ", b.Module)
				printBinding(r.out, b)
			}
			return nil
		})
	cmd.Flags().SetNormalizeFunc(eitherNumber)
	cmd.Flags().StringVar(&f.partitioner, "partitioner", "", "`name` of the module that chooses partitions")
	cmd.Flags().StringSliceVar(&f.interceptors, "interceptors", nil, "`names` of the modules that see every record")
	cmd.Flags().StringVar(&f.config, "config", "", "configuration: `JSON`, or @FILE")
	cmd.Flags().StringVar(&f.onError, "on-error", "", "what becomes of a record that the module fails on: continue, strict or dlq (default continue)")
	cmd.Flags().StringSliceVar(&f.routes, "routes", nil, "`topics` that the module may send records to instead")
	cmd.Flags().IntVar(&f.instances, "instances", 0, "`how many` calls of the module there may be at once; 0 is wasm.instances")
	cmd.Flags().StringVar(&f.fallback, "fallback", "", "the built-in `partitioner` that chooses where the module does not (default the topic's)")
	return cmd
}

func (f bindFlags) request(topic string) (request, error) {
	config, err := readConfig(f.config)
	if err != nil {
		return request{}, err
	}
	one := func(name string) registry.Binding {
		return registry.Binding{Module: name, Config: config, OnError: registry.Policy(f.onError), Routes: f.routes, Instances: f.instances, Fallback: f.fallback}
	}
	switch {
	case (f.partitioner == "") == (len(f.interceptors) == 0):
		return request{}, usageError{errors.New("give one of --partitioner and --interceptors")}
	case f.partitioner != "":
		return sendJSON(http.MethodPut, topicPath(topic, "partitioner"), one(f.partitioner))
	}
	var list []registry.Binding
	for _, name := range f.interceptors {
		list = append(list, one(name))
	}
	return sendJSON(http.MethodPut, topicPath(topic, "interceptors"), list)
}

// readConfig reads a configuration from the command line, or with @ from a file.
func readConfig(text string) (json.RawMessage, error) {
	if text == "" {
		return nil, nil
	}
	what := "--config"
	if file, ok := strings.CutPrefix(text, "@"); ok {
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		text, what = string(b), file
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &object); err != nil || object == nil {
		return nil, usageError{fmt.Errorf("%s: it must be a JSON object: %w", what, err)}
	}
	return json.RawMessage(text), nil
}

// eitherNumber takes --interceptor for --interceptors: bind and unbind once had one each.
func eitherNumber(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	if name == "interceptor" {
		name = "interceptors"
	}
	return pflag.NormalizedName(name)
}

func moduleUnbindCommand() *cobra.Command {
	var partitioner, interceptors bool
	cmd := remoteCommand("unbind TOPIC --partitioner | --interceptors", "Remove what bind bound to a topic", "", betweenArgs(1, 1),
		func(ctx context.Context, r *remote, args []string) error {
			kinds := map[string]bool{"partitioner": partitioner, "interceptors": interceptors}
			if !partitioner && !interceptors {
				return usageError{errors.New("give --partitioner, --interceptors, or both")}
			}
			var failed []error // of one kind; the other may be there
			for _, kind := range []string{"interceptors", "partitioner"} {
				if !kinds[kind] {
					continue
				}
				show, err := r.do(ctx, request{method: http.MethodDelete, path: topicPath(args[0], kind), body: http.NoBody}, nil)
				failed = append(failed, err)
				if show && err == nil {
					fmt.Fprintf(r.out, "%s: %s unbound\n", args[0], kind)
				}
			}
			return errors.Join(failed...)
		})
	cmd.Flags().SetNormalizeFunc(eitherNumber)
	cmd.Flags().BoolVar(&partitioner, "partitioner", false, "the partitioner")
	cmd.Flags().BoolVar(&interceptors, "interceptors", false, "all interceptors")
	return cmd
}
