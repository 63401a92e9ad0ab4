package producer

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// kgoLogger passes kgo's warnings and errors on. Its info level speaks of every connection and metadata change, so it is
// ours at debug; its debug level formats per request and is never asked for.
type kgoLogger struct {
	log  *slog.Logger
	told *sync.Map // message to when it was logged last
}

// repeatAfter is how long a message of kgo is not repeated: a broker that is away would fill the log.
const repeatAfter = 10 * time.Second

// again says whether msg was logged lately.
func (l kgoLogger) again(msg string) bool {
	now := time.Now()
	if last, ok := l.told.Load(msg); ok && now.Sub(last.(time.Time)) < repeatAfter { //nolint:forcetypeassert // it holds nothing else
		return true
	}
	l.told.Store(msg, now)
	return false
}

func (l kgoLogger) Level() kgo.LogLevel {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		return kgo.LogLevelInfo
	}
	return kgo.LogLevelWarn
}

func (l kgoLogger) Log(level kgo.LogLevel, msg string, keyvals ...any) {
	to := slog.LevelDebug
	switch level {
	case kgo.LogLevelNone, kgo.LogLevelInfo, kgo.LogLevelDebug:
	case kgo.LogLevelError:
		to = slog.LevelError
	case kgo.LogLevelWarn:
		to = slog.LevelWarn
	}
	if to >= slog.LevelWarn && l.again(msg) {
		to = slog.LevelDebug
	}
	l.log.Log(context.Background(), to, "kafka client: "+msg, keyvals...)
}
