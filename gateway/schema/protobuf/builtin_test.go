package protobuf

import (
	"fmt"
	"strings"
	"testing"

	"sluice/gateway/schema/codec"
)

// Each of google/type is imported without a reference, and has fields of the numbers that Google gives them.
func TestGoogleTypesNeedNoReference(t *testing.T) {
	for file, c := range map[string]struct{ typ, value, wire string }{
		"calendar_period": {"CalendarPeriod", `"YEAR"`, "0807"},
		"color":           {"Color", `{"blue":1,"alpha":0}`, "0a071d0000803f2200"},
		"date":            {"Date", `{"year":2024,"month":2,"day":29}`, "0a0708e80f1002181d"},
		"datetime":        {"DateTime", `{"nanos":1,"timeZone":{"id":"a"}}`, "0a0738014a030a0161"},
		"dayofweek":       {"DayOfWeek", `"SUNDAY"`, "0807"},
		"decimal":         {"Decimal", `{"value":"1.5"}`, "0a050a03312e35"},
		"expr":            {"Expr", `{"location":"l"}`, "0a0322016c"},
		"fraction":        {"Fraction", `{"denominator":"3"}`, "0a021003"},
		"interval":        {"Interval", `{"endTime":"1970-01-01T00:00:01Z"}`, "0a0412020801"},
		"latlng":          {"LatLng", `{"longitude":1}`, "0a0911000000000000f03f"},
		"money":           {"Money", `{"currencyCode":"EUR","units":"1","nanos":2}`, "0a090a0345555210011802"},
		"month":           {"Month", `"DECEMBER"`, "080c"},
		"phone_number":    {"PhoneNumber", `{"shortCode":{"number":"1"},"extension":"2"}`, "0a081203120131" + "1a0132"},
		"postal_address":  {"PostalAddress", `{"addressLines":["a"],"organization":"o"}`, "0a064a01615a016f"},
		"quaternion":      {"Quaternion", `{"w":1}`, "0a0921000000000000f03f"},
		"timeofday":       {"TimeOfDay", `{"nanos":1}`, "0a022001"},
	} {
		m, err := Compile(fmt.Appendf(nil, `syntax = "proto3"; import "google/type/%s.proto"; message A { google.type.%s f = 1; }`, file, c.typ), nil, codec.Options{})
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		value := `{"f":` + c.value + `}`
		data := encode(t, m, value)
		if got := fmt.Sprintf("%x", data[1:]); got != c.wire {
			t.Errorf("%s is %s, want %s", file, got, c.wire)
		}
		if got := decode(t, m, data); got != value {
			t.Errorf("%s is read back as %s", file, got)
		}
	}
	_, err := Compile([]byte(`syntax = "proto3"; import "google/type/none.proto"; message A {}`), nil, codec.Options{})
	if err == nil || !strings.Contains(err.Error(), `no reference is called "google/type/none.proto"`) {
		t.Error(err)
	}
}
