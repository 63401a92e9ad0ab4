package protobuf

import (
	"strconv"
	"strings"
)

// builtin is the text of a file that Confluent's clients import without a reference, or "".
func builtin(path string) string {
	if name, ok := strings.CutPrefix(path, "google/type/"); ok {
		return googleType(strings.TrimSuffix(name, ".proto"))
	}
	switch path {
	case "confluent/meta.proto":
		return confluentMeta
	case "confluent/type/decimal.proto":
		return confluentDecimal
	default:
		return ""
	}
}

// Names and numbers are those of Confluent's own files, as schemas in registries use them.
const (
	confluentMeta = `syntax = "proto3";
package confluent;
import "google/protobuf/descriptor.proto";
message Meta { string doc = 1; map<string, string> params = 2; repeated string tags = 3; }
extend google.protobuf.FileOptions { Meta file_meta = 1088; }
extend google.protobuf.MessageOptions { Meta message_meta = 1088; }
extend google.protobuf.FieldOptions { Meta field_meta = 1088; }
extend google.protobuf.EnumOptions { Meta enum_meta = 1088; }
extend google.protobuf.EnumValueOptions { Meta enum_value_meta = 1088; }
`
	confluentDecimal = `syntax = "proto3";
package confluent.type;
message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }
`
)

// googleType is a file of google/type, with the names and numbers that Google gives them.
func googleType(name string) string {
	imports, body := "", ""
	switch name {
	case "calendar_period":
		body = enumOf("CalendarPeriod", "CALENDAR_PERIOD_UNSPECIFIED DAY WEEK FORTNIGHT MONTH QUARTER HALF YEAR")
	case "color":
		imports = `import "google/protobuf/wrappers.proto";`
		body = `message Color { float red = 1; float green = 2; float blue = 3; google.protobuf.FloatValue alpha = 4; }`
	case "date":
		body = `message Date { int32 year = 1; int32 month = 2; int32 day = 3; }`
	case "datetime":
		imports = `import "google/protobuf/duration.proto";`
		body = `message DateTime { int32 year = 1; int32 month = 2; int32 day = 3; int32 hours = 4; int32 minutes = 5; int32 seconds = 6; int32 nanos = 7;
  oneof time_offset { google.protobuf.Duration utc_offset = 8; TimeZone time_zone = 9; } }
message TimeZone { string id = 1; string version = 2; }`
	case "dayofweek":
		body = enumOf("DayOfWeek", "DAY_OF_WEEK_UNSPECIFIED MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY SUNDAY")
	case "decimal":
		body = `message Decimal { string value = 1; }`
	case "expr":
		body = `message Expr { string expression = 1; string title = 2; string description = 3; string location = 4; }`
	case "fraction":
		body = `message Fraction { int64 numerator = 1; int64 denominator = 2; }`
	case "interval":
		imports = `import "google/protobuf/timestamp.proto";`
		body = `message Interval { google.protobuf.Timestamp start_time = 1; google.protobuf.Timestamp end_time = 2; }`
	case "latlng":
		body = `message LatLng { double latitude = 1; double longitude = 2; }`
	case "money":
		body = `message Money { string currency_code = 1; int64 units = 2; int32 nanos = 3; }`
	case "month":
		body = enumOf("Month", "MONTH_UNSPECIFIED JANUARY FEBRUARY MARCH APRIL MAY JUNE JULY AUGUST SEPTEMBER OCTOBER NOVEMBER DECEMBER")
	case "phone_number":
		body = `message PhoneNumber { oneof kind { string e164_number = 1; ShortCode short_code = 2; } string extension = 3;
  message ShortCode { string region_code = 1; string number = 2; } }`
	case "postal_address":
		body = `message PostalAddress { int32 revision = 1; string region_code = 2; string language_code = 3; string postal_code = 4; string sorting_code = 5;
  string administrative_area = 6; string locality = 7; string sublocality = 8; repeated string address_lines = 9; repeated string recipients = 10;
  string organization = 11; }`
	case "quaternion":
		body = `message Quaternion { double x = 1; double y = 2; double z = 3; double w = 4; }`
	case "timeofday":
		body = `message TimeOfDay { int32 hours = 1; int32 minutes = 2; int32 seconds = 3; int32 nanos = 4; }`
	default:
		return ""
	}
	return "syntax = \"proto3\";\npackage google.type;\n" + imports + "\n" + body + "\n"
}

// enumOf is the text of an enum whose values are numbered from 0.
func enumOf(name, values string) string {
	var b strings.Builder
	b.WriteString("enum " + name + " {")
	for i, v := range strings.Fields(values) {
		b.WriteString(" " + v + " = " + strconv.Itoa(i) + ";")
	}
	return b.String() + " }"
}
