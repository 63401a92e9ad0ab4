package drill

import (
	"strconv"
	"testing"
	"time"
)

func TestTimestampsOfWrongClocks(t *testing.T) {
	now := time.Now()
	limit := now.Add(time.Hour).UnixMilli()
	for _, refused := range []bool{false, true} {
		past, ahead := false, false
		for range 1000 {
			ms, err := strconv.ParseInt(timestamp(now, refused), 10, 64)
			if err != nil || ms < 0 {
				t.Fatalf("%d, %v", ms, err)
			}
			past = past || ms == 0
			ahead = ahead || ms > limit
		}
		if !past || ahead != refused {
			t.Errorf("refused %v: from 1970 %v, too far ahead %v", refused, past, ahead)
		}
	}
}
