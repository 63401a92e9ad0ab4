package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"sluice/gateway"
)

func checkCommand() *cobra.Command {
	var file string
	var asJSON, build bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check a configuration and print the effective settings of every topic",
		Long: `Check a configuration, and the modules, schemas and folders of spools that it names. All errors are printed at once; else the effective settings, each with where
it came from. A gateway may be running meanwhile, and nothing is changed.

Of modules it finds out what serve would: that they are there, can be run as what they are bound as, and take their
configurations. One that is source is looked at if it was built before; --build builds it. Of schemas it asks the registry, if that
answers, whether they are there, and compiles them; nothing is registered. Of spools it looks whether their folders can be used, who uses
them, and whether the disk has room for spool.max.bytes.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(file, cmd.Flags().Changed("config"))
			if err != nil {
				return err
			}
			ctx, cancel := untilSignal(cmd)
			defer cancel()
			found, err := gateway.Check(ctx, cfg, localHost, build)
			if err != nil {
				return err
			}
			for _, note := range found.Notes {
				fmt.Fprintln(cmd.ErrOrStderr(), "note:", note)
			}
			if len(found.Errors) > 0 {
				return found.Errors
			}
			report := cfg.Report()
			if cfg.File == "" {
				fmt.Fprintf(cmd.ErrOrStderr(), "no %s here: these are the built-in defaults\n", defaultConfig)
			}
			if asJSON {
				enc := json.NewEncoder(cmd.OutOrStdout())
				enc.SetIndent("", "  ")
				return enc.Encode(report)
			}
			return report.WriteText(cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVarP(&file, "config", "c", defaultConfig, "configuration `file`")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&build, "build", false, "build modules that are source and were not built yet")
	return cmd
}
