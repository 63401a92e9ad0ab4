package bench

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/spf13/cobra"
)

// asSluice makes the test binary behave as `sluice`, so that the children it starts of itself are real processes.
const asSluice = "BENCH_TEST_AS_SLUICE"

func TestMain(m *testing.M) {
	if os.Getenv(asSluice) == "" {
		os.Exit(m.Run())
	}
	root := &cobra.Command{Use: "sluice", SilenceUsage: true, SilenceErrors: true}
	root.AddCommand(Command())
	if err := root.ExecuteContext(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}
