package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
)

func checkCommand() *cobra.Command {
	var file string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check a configuration and print the effective settings of every topic",
		Long:  "Check a configuration. All its errors are printed at once; else the effective settings, each with where it came from.",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(file, cmd.Flags().Changed("config"))
			if err != nil {
				return err
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
	return cmd
}
