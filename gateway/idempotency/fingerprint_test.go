package idempotency

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// start begins a request with one parameter.
func start(h *Hasher, param string, body io.Reader) {
	h.Start()
	h.Bytes([]byte(param))
	h.Body(body)
}

// readOf reads n bytes of the request; all of it and its end if n is negative.
func readOf(t *testing.T, param, body string, n int) Fingerprint {
	t.Helper()
	var h Hasher
	start(&h, param, strings.NewReader(body))
	var err error
	if n < 0 {
		_, err = io.Copy(io.Discard, &h)
	} else {
		_, err = io.ReadFull(&h, make([]byte, n))
	}
	if err != nil {
		t.Fatal(err)
	}
	return h.Fingerprint()
}

func TestMatches(t *testing.T) {
	long := strings.Repeat("0123456789", 10000)
	for name, c := range map[string]struct {
		of          Fingerprint
		param, body string
		want        bool
	}{
		"the same":                       {readOf(t, "p", "body", -1), "p", "body", true},
		"nothing":                        {readOf(t, "p", "", -1), "p", "", true},
		"long":                           {readOf(t, "p", long, -1), "p", long, true},
		"other parameter":                {readOf(t, "p", "body", -1), "q", "body", false},
		"other body":                     {readOf(t, "p", "body", -1), "p", "bodo", false},
		"shorter":                        {readOf(t, "p", "body", -1), "p", "bod", false},
		"longer":                         {readOf(t, "p", "body", -1), "p", "body ", false},
		"something for nothing":          {readOf(t, "p", "", -1), "p", "x", false},
		"parameter as body":              {readOf(t, "p", "body", -1), "pb", "ody", false},
		"as far as it was read":          {readOf(t, "p", "body", 2), "p", "body", true},
		"as far as it was read, and not": {readOf(t, "p", "body", 2), "p", "boat", true}, // nobody has seen the rest
		"before where it was read":       {readOf(t, "p", "body", 2), "p", "bady", false},
		"less than was read":             {readOf(t, "p", "body", 2), "p", "b", false},
	} {
		for way, src := range map[string]io.Reader{
			"at once": strings.NewReader(c.body), "by bytes": iotest.OneByteReader(strings.NewReader(c.body)),
			"end with data": iotest.DataErrReader(strings.NewReader(c.body)),
		} {
			var h Hasher
			start(&h, c.param, src)
			if got, err := h.Matches(&c.of, make([]byte, 512)); err != nil || got != c.want {
				t.Errorf("%s, %s: %v, %v; want %v", name, way, got, err, c.want)
			}
		}
	}
}

func TestMatchesFailsAsTheBodyDoes(t *testing.T) {
	broken := errors.New("broken")
	for name, body := range map[string]string{"before the end": "bo", "at the end": "body"} {
		of := readOf(t, "p", "body", -1)
		var h Hasher
		start(&h, "p", io.MultiReader(strings.NewReader(body), iotest.ErrReader(broken)))
		if got, err := h.Matches(&of, make([]byte, 512)); got || !errors.Is(err, broken) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestMatchesReadsNoMoreThanItMust(t *testing.T) {
	of := readOf(t, "p", "body", -1)
	endless := strings.NewReader("body" + strings.Repeat("x", 1000))
	var h Hasher
	start(&h, "p", endless)
	if same, err := h.Matches(&of, make([]byte, 512)); same || err != nil {
		t.Fatal(same, err)
	}
	if read := 1004 - endless.Len(); read != 5 {
		t.Errorf("%d bytes were read to see that there are more than 4", read)
	}
}

func TestHasherAllocatesNothing(t *testing.T) {
	var h Hasher
	body := strings.NewReader("")
	param, buf := []byte("param"), make([]byte, 4096)
	of := readOf(t, "param", "body", -1)
	if n := testing.AllocsPerRun(100, func() {
		body.Reset("body")
		h.Start()
		h.Bytes(param)
		h.Body(body)
		if same, err := h.Matches(&of, buf); !same || err != nil {
			t.Fatal(same, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
