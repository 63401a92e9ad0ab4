package ingest

import (
	"fmt"
	"strings"
	"testing"
)

// A Kafka client in Go keeps time in int64 nanoseconds, which end in the year 2262.
func TestTimestampRange(t *testing.T) {
	r := newRig(t, testConfig(), testTopic())
	for _, tt := range []struct {
		given string
		want  int64 // -1: refused
	}{
		{"0", 0},
		{"1700000000123", 1700000000123},
		{"9223372036854", 9223372036854},
		{"9223372036855", -1},
		{"253402300799999", -1},
		{"9223372036854775807", -1},
		{"9223372036854775808", -1},
		{"1970-01-01T00:00:00Z", 0},
		{"2262-04-11T23:47:16.854Z", 9223372036854},
		{"2262-04-11T23:47:16.8549Z", 9223372036854}, // the rest of a millisecond is dropped
		{"2262-04-11T23:47:16.855Z", -1},
		{"2262-04-12T01:47:16.855+02:00", -1},
		{"9999-12-31T23:59:59Z", -1},
		{"1969-12-31T23:59:59Z", -1},
	} {
		number := !strings.Contains(tt.given, "T")
		for name, post := range map[string]func(r *rig) answer{
			"header": func(r *rig) answer { return r.post(recordsPath, "v", "X-Kafka-Timestamp: "+tt.given) },
			"envelope": func(r *rig) answer {
				member := tt.given
				if !number {
					member = `"` + member + `"`
				}
				return r.post(recordsPath, fmt.Sprintf(`{"value":1,"timestamp":%s}`, member), envelopeType)
			},
		} {
			t.Run(name+" "+tt.given, func(t *testing.T) {
				r := r.in(t)
				got := post(r)
				if tt.want < 0 {
					checkProblem(t, got, 400, "invalid_request", "milliseconds since the Unix epoch, at most 9223372036854 (year 2262)")
					if !strings.Contains(got.body, tt.given) || len(r.topic.all()) != 0 {
						t.Errorf("the value is not named, or was stored: %v", got)
					}
					return
				}
				if all := r.topic.all(); got.status != 200 || len(all) != 1 || all[0].Timestamp != tt.want {
					t.Errorf("%v, stored %v", got, all)
				}
			})
		}
	}
}
