package bench

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// untilSignal ends when ctx does, and on Ctrl-C and SIGTERM.
func untilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
}
