package main

import (
	"fmt"
	"testing"

	sluice "sluice/guest-sdk/go"
	"sluice/guest-sdk/go/murmur2"
	"sluice/guest-sdk/go/sluicetest"
)

func configured(t *testing.T, config string) *partitioner {
	t.Helper()
	p := new(partitioner)
	if err := sluicetest.Configure(t, p.configure, config); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPartition(t *testing.T) {
	p := configured(t, `{"us-east":0,"us-west":"3-5","eu":[1,7,2],"far":8,"wide":"6-20","one":"4-4","caf\u00e9":2}`)
	hash := func(key string) int32 { return murmur2.Sum([]byte(key)) & 0x7fffffff }
	for _, c := range []struct {
		key  string
		want int32
	}{
		{"us-east:1", 0},
		{"us-east:", 0},
		{"us-east:a:b", 0},
		{"us-west:1", 3 + hash("us-west:1")%3},
		{"us-west:22", 3 + hash("us-west:22")%3},
		{"eu:a", []int32{1, 7, 2}[hash("eu:a")%3]},
		{"one:a", 4},
		{"café:a", 2},
		{"far:1", sluice.NotMine},     // there are partitions 0 to 7
		{"us-east", sluice.NotMine},   // no region
		{"us-eas:1", sluice.NotMine},  // no such region
		{"us-east1:", sluice.NotMine}, // no such region
		{":1", sluice.NotMine},
		{"", sluice.NotMine},
	} {
		got := sluicetest.Partition(t, p.partition, sluicetest.Batch{Partitions: 8, Records: []sluicetest.Record{{Key: []byte(c.key)}}})
		if v := got.Verdicts[0]; v.Partition != c.want || v.Failed != "" {
			t.Errorf("key %q: partition %d, want %d (failed: %q)", c.key, v.Partition, c.want, v.Failed)
		}
	}
}

func TestNullKey(t *testing.T) {
	p := configured(t, `{"a":0}`)
	got := sluicetest.Partition(t, p.partition, sluicetest.Batch{Partitions: 8, Records: []sluicetest.Record{{}}})
	if got.Verdicts[0].Partition != sluice.NotMine {
		t.Errorf("a null key goes to %d", got.Verdicts[0].Partition)
	}
}

// TestRangeWithinTopic says what a range means of which the topic has a part only: keys whose partition there is go there.
func TestRangeWithinTopic(t *testing.T) {
	p := configured(t, `{"r":"2-9"}`)
	var there, not int
	for i := range 200 {
		key := fmt.Appendf(nil, "r:%d", i)
		want := 2 + murmur2.Partition(key, 8)
		if want >= 4 {
			want = sluice.NotMine
			not++
		} else {
			there++
		}
		got := sluicetest.Partition(t, p.partition, sluicetest.Batch{Partitions: 4, Records: []sluicetest.Record{{Key: key}}})
		if got.Verdicts[0].Partition != want {
			t.Fatalf("key %s: partition %d, want %d", key, got.Verdicts[0].Partition, want)
		}
	}
	if there == 0 || not == 0 {
		t.Errorf("%d keys in, %d out: the test tests nothing", there, not)
	}
}

func TestManyRegions(t *testing.T) {
	config := "{"
	for i := range 1000 {
		config += fmt.Sprintf(`"region-%d":%d,`, i, i)
	}
	p := configured(t, config+`"region-7":5000}`) // the last of equal names counts
	var records []sluicetest.Record
	for i := range 1001 {
		records = append(records, sluicetest.Record{Key: fmt.Appendf(nil, "region-%d:x", i)})
	}
	for i, v := range sluicetest.Partition(t, p.partition, sluicetest.Batch{Partitions: 10_000, Records: records}).Verdicts {
		want := int32(i)
		switch i {
		case 7:
			want = 5000
		case 1000:
			want = sluice.NotMine
		}
		if v.Partition != want {
			t.Fatalf("region %d: partition %d, want %d", i, v.Partition, want)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	const rule = ` must be a partition such as 0, a range such as "3-5" or a list such as [1, 4]`
	for config, want := range map[string]string{
		`{}`:                    `config: {} must name at least one region`,
		`{"a":-1}`:              `config /a: -1` + rule,
		`{"a":1.5}`:             `config /a: 1.5` + rule,
		`{"a":true}`:            `config /a: true` + rule,
		`{"a":null}`:            `config /a: null` + rule,
		`{"a":"x"}`:             `config /a: "x"` + rule,
		`{"a":"3"}`:             `config /a: "3"` + rule,
		`{"a":"5-3"}`:           `config /a: "5-3"` + rule,
		`{"a":"-3"}`:            `config /a: "-3"` + rule,
		`{"a":"1-+3"}`:          `config /a: "1-+3"` + rule,
		`{"a":"1-99999999999"}`: `config /a: "1-99999999999"` + rule,
		`{"a":"0-2147483647"}`:  `config /a: "0-2147483647"` + rule,
		`{"a":[]}`:              `config /a: []` + rule,
		`{"a":[1,"2"]}`:         `config /a: [1,"2"]` + rule,
		`{"a":2147483647}`:      `config /a: 2147483647` + rule,
		`{"a/b":[-1]}`:          `config /a~1b: [-1]` + rule,
		`{"a:b":1}`:             `config /a:b: 1 stands for a region that no key can have: it is empty or has a colon in it`,
		`{"":1}`:                `config /: 1 stands for a region that no key can have: it is empty or has a colon in it`,
	} {
		err := sluicetest.Configure(t, new(partitioner).configure, config)
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", config, err, want)
		}
	}
}
