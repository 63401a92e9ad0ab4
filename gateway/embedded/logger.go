package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/twmb/franz-go/pkg/kfake"
)

// logger passes kfake's warnings and errors on. While the broker closes it keeps the errors instead, because kfake's
// Close returns none.
type logger struct {
	to *slog.Logger

	mu      sync.Mutex
	closing bool
	errs    []error
}

// Logf implements kfake.Logger.
func (l *logger) Logf(level kfake.LogLevel, format string, args ...any) {
	switch level {
	case kfake.LogLevelError:
		if err := fmt.Errorf("embedded broker: "+format, args...); !l.keep(err) {
			l.to.Error(err.Error())
		}
	case kfake.LogLevelWarn:
		if l.to.Enabled(context.Background(), slog.LevelWarn) {
			l.to.Warn(fmt.Sprintf("embedded broker: "+format, args...))
		}
	default: // every request
	}
}

func (l *logger) keep(err error) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing {
		l.errs = append(l.errs, err)
	}
	return l.closing
}

func (l *logger) collect() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closing = true
}

func (l *logger) collected() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.errs...)
}
