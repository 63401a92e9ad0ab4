package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"sluice/gateway/toolchain"
	guestsdk "sluice/guest-sdk"
)

// newProject is what module new prints.
type newProject struct {
	Name     string   `json:"name"`
	Language string   `json:"language"`
	Kind     string   `json:"kind"`
	Dir      string   `json:"dir"`
	Files    []string `json:"files"`
}

func moduleNewCommand() *cobra.Command {
	var language, kind string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "new --lang LANGUAGE [--kind KIND] NAME [DIR]",
		Short: "Write a project to begin with",
		Long: `Write a project for a module into DIR, by default a new folder called NAME: a worked example of 20 lines to change, the SDK,
records and a configuration to test it with. It builds without a network. Nothing that exists is overwritten.`,
		Example: "  sluice module new --lang go my-partitioner\n  sluice module new --lang rust --kind interceptor redact-cards",
		Args:    betweenArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			p := toolchain.Project{Name: args[0], Language: toolchain.Language(language), Kind: toolchain.Kind(kind), SDK: guestsdk.Files}
			if language == "" {
				return usageError{fmt.Errorf("--lang is missing: one of %s", languages())}
			}
			if err := p.Check(); err != nil {
				return usageError{err}
			}
			dir := args[len(args)-1] // NAME is the default of DIR
			files, err := toolchain.New(dir, p)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), newProject{p.Name, language, kind, dir, files})
			}
			printProject(cmd.OutOrStdout(), dir, p, files)
			return nil
		},
	}
	cmd.Flags().StringVarP(&language, "lang", "l", "", "`language`: "+languages())
	cmd.Flags().StringVarP(&kind, "kind", "k", string(toolchain.Partitioner), "`kind`: partitioner or interceptor")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// languages are the words for --lang.
func languages() string {
	known := toolchain.Languages()
	words := make([]string, 0, len(known))
	for _, l := range known {
		words = append(words, string(l))
	}
	return strings.Join(words, ", ")
}

// printProject says what was written and what to do next.
func printProject(w io.Writer, dir string, p toolchain.Project, files []string) {
	fmt.Fprintf(w, "%s: %s in %s\n", dir, p.Kind, p.Language)
	for _, f := range files {
		if !strings.HasPrefix(f, "sluice/") { // the SDK in Go has many
			fmt.Fprintf(w, "  %s\n", f)
		}
	}
	fmt.Fprintf(w, "next\n  cd %s\n", dir)
	if p.Language == toolchain.AssemblyScript {
		fmt.Fprintln(w, "  npm install")
	}
	fmt.Fprintln(w, "  sluice module build\n  sluice module test")
}
