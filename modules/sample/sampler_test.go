package main

import (
	"fmt"
	"testing"

	"sluice/guest-sdk/go/sluicetest"
)

func kept(t *testing.T, config string, records []sluicetest.Record) (list []int) {
	t.Helper()
	s := new(sampler)
	if err := sluicetest.Configure(t, s.configure, config); err != nil {
		t.Fatal(err)
	}
	for i, v := range sluicetest.OnSend(t, s.onSend, sluicetest.Batch{Records: records}).Verdicts {
		if !v.Dropped {
			list = append(list, i)
		}
	}
	return list
}

func TestShare(t *testing.T) {
	const n = 10_000
	var byKey, byValue []sluicetest.Record
	for i := range n {
		byKey = append(byKey, sluicetest.Record{Key: fmt.Appendf(nil, "key-%d", i), Value: []byte("same")})
		byValue = append(byValue, sluicetest.Record{Value: fmt.Appendf(nil, "value-%d", i)})
	}
	for percent, want := range map[string]float64{"0": 0, "0.5": 0.005, "10": 0.1, "50": 0.5, "99.9": 0.999, "100": 1} {
		for what, records := range map[string][]sluicetest.Record{"by key": byKey, "by value": byValue} {
			got := float64(len(kept(t, `{"percent":`+percent+`}`, records))) / n
			if got < want*0.93-0.0015 || got > want*1.07+0.0015 || (want == 0 || want == 1) && got != want {
				t.Errorf("%s percent %s: %v are kept", percent, what, got)
			}
		}
	}
}

// TestSameKeys says that what is kept at 10 % is kept at 20 %, too, and always again.
func TestSameKeys(t *testing.T) {
	var records []sluicetest.Record
	for i := range 2000 {
		records = append(records, sluicetest.Record{Key: fmt.Appendf(nil, "key-%d", i%1000), Value: fmt.Appendf(nil, "%d", i)})
	}
	ten, twenty := kept(t, `{"percent":10}`, records), map[int]bool{}
	for _, i := range kept(t, `{"percent":20}`, records) {
		twenty[i] = true
	}
	set := map[int]bool{}
	for _, i := range ten {
		set[i] = true
	}
	for _, i := range ten {
		if !twenty[i] || !set[(i+1000)%2000] {
			t.Errorf("record %d is kept at 10 %%: at 20 %% %v, the other one of its key %v", i, twenty[i], set[(i+1000)%2000])
		}
	}
	if len(ten) == 0 {
		t.Error("nothing is kept")
	}
}

func TestNothingToHash(t *testing.T) {
	if got := kept(t, `{"percent":100}`, []sluicetest.Record{{}}); len(got) != 1 {
		t.Error("a record without key and value is dropped at 100 %")
	}
}

func TestConfigErrors(t *testing.T) {
	for config, want := range map[string]string{
		`{}`:                       `config /percent is missing: it must be a number from 0 to 100, how many percent to keep`,
		`{"percent":-1}`:           `config /percent: -1 must be from 0 to 100`,
		`{"percent":100.1}`:        `config /percent: 100.1 must be from 0 to 100`,
		`{"percent":"10"}`:         `config /percent: "10" must be a number`,
		`{"percent":10,"rate":10}`: `config: unknown key "rate", known are percent`,
	} {
		err := sluicetest.Configure(t, new(sampler).configure, config)
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", config, err, want)
		}
	}
}
