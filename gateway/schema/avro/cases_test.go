package avro

// good are values that fit their schema: what is written in hexadecimal, and what is read back, "" if it is the same text.
type good struct{ in, hex, out string }

// bad are values that do not: the place, and words of what was expected and of what was found.
type bad struct{ in, path, want, found string }

type schemaCase struct {
	name, schema string
	good         []good
	bad          []bad
}

const (
	address = `{"type":"record","name":"Address","namespace":"shop","fields":[{"name":"street","type":"string"},{"name":"no","type":"int"}]}`
	tree    = `{"type":"record","name":"Node","fields":[{"name":"v","type":"int"},{"name":"next","type":["null","Node"],"default":null}]}`
)

func primitiveCases() []schemaCase {
	return []schemaCase{
		{"null", `"null"`, []good{{`null`, "", ""}, {" null\n", "", "null"}}, []bad{
			{`0`, "", "null", "0"},
			{`"null"`, "", "null", `"null"`},
			{`nul`, "", "JSON", "'n'"},
			{``, "", "null", "the end at byte 0"},
			{`null null`, "", "JSON", "'n' at byte 5"},
		}},
		{"boolean", `"boolean"`, []good{{`true`, "01", ""}, {`false`, "00", ""}}, []bad{
			{`1`, "", "boolean", "1"}, {`"true"`, "", "boolean", ""}, {`null`, "", "boolean", "null"}, {`truth`, "", "JSON", "'t'"},
		}},
		{"int", `"int"`, []good{
			{`0`, "00", ""},
			{`-0`, "00", "0"},
			{`-1`, "01", ""},
			{`1`, "02", ""},
			{`63`, "7e", ""},
			{`-64`, "7f", ""},
			{`64`, "8001", ""},
			{`2147483647`, "feffffff0f", ""},
			{`-2147483648`, "ffffffff0f", ""},
			{`1.0`, "02", "1"},
			{`1e3`, "d00f", "1000"},
			{`1.5e1`, "1e", "15"},
			{`100e-2`, "02", "1"},
		}, []bad{
			{`2147483648`, "", "int", "2147483648"},
			{`-2147483649`, "", "int", ""},
			{`1.5`, "", "int", "1.5"},
			{`1e-1`, "", "int", "1e-1"},
			{`1e400`, "", "int", "1e400"},
			{`1e999999999`, "", "int", ""},
			{`"1"`, "", "int", `"1"`},
			{`01`, "", "JSON", "'1' at byte 1"},
			{`-`, "", "JSON", "'-'"},
			{`+1`, "", "int", "'+'"},
			{`1.`, "", "JSON", ""},
			{`NaN`, "", "int", "'N'"},
			{`[1]`, "", "int", "an array"},
		}},
		{"long", `"long"`, []good{
			{`9223372036854775807`, "feffffffffffffffff01", ""},
			{`-9223372036854775808`, "ffffffffffffffffff01", ""},
			{`1000000000000000000`, "8080a0f6f4acdbe01b", ""},
			{`9.223372036854775807e18`, "feffffffffffffffff01", "9223372036854775807"},
		}, []bad{
			{`9223372036854775808`, "", "long", ""},
			{`-9223372036854775809`, "", "long", "-9223372036854775809"},
			{`12e18`, "", "long", ""},
			{`1e19`, "", "long", ""},
			{`99999999999999999999999999999999999999999999999`, "", "long", "a number"},
			{`true`, "", "long", "true"},
		}},
		{"float", `"float"`, []good{
			{`0`, "00000000", ""},
			{`-0.0`, "00000080", "-0"},
			{`1.5`, "0000c03f", ""},
			{`3.4028235e38`, "ffff7f7f", "3.4028235e+38"},
			{`1e-45`, "01000000", "1e-45"},
			{`"NaN"`, "0000c07f", ""},
			{`"Infinity"`, "0000807f", ""},
			{`"-Infinity"`, "000080ff", ""},
			{`16777217`, "0000804b", "16777216"},
		}, []bad{{`3.5e38`, "", "float", "3.5e38"}, {`"1.5"`, "", "float", ""}, {`"inf"`, "", "float", ""}, {`null`, "", "float", "null"}}},
		{"double", `"double"`, []good{
			{`1`, "000000000000f03f", ""},
			{`0.1`, "9a9999999999b93f", ""},
			{`1.7976931348623157e308`, "ffffffffffffef7f", "1.7976931348623157e+308"},
			{`1e-400`, "0000000000000000", "0"},
			{`"NaN"`, "010000000000f87f", ""},
		}, []bad{{`1e309`, "", "double", "1e309"}, {`-1e309`, "", "double", ""}, {`{}`, "", "double", "an object"}}},
		{"string", `"string"`, []good{
			{`""`, "00", ""},
			{`"foo"`, "06666f6f", ""},
			{`"é"`, "04c3a9", ""},
			{`"\u00e9"`, "04c3a9", `"é"`},
			{`"\ud83d\ude00"`, "08f09f9880", `"😀"`},
			{`"\"\\\/\b\f\n\r\t"`, "10225c2f080c0a0d09", `"\"\\/\u0008\u000c\u000a\u000d\u0009"`},
		}, []bad{
			{`"\ud83d"`, "", "surrogates in pairs", "at byte 1"},
			{`"\ude00\ud83d"`, "", "surrogates in pairs", ""},
			{`"\x"`, "", "a known escape", ""},
			{`"\u12g4"`, "", "four hexadecimal digits", ""},
			{`"a`, "", "JSON", "the end"},
			{"\"a\nb\"", "", "JSON", `'\n'`},
			{"\"\xff\"", "", "UTF-8", "byte 0xff"},
			{`5`, "", "string", "5"},
			{`"\`, "", "a closing quote", ""},
		}},
		{"bytes", `"bytes"`, []good{{`""`, "00", ""}, {`"\u00ff\u0000A"`, "06ff0041", ""}, {`"ÿ"`, "02ff", `"\u00ff"`}}, []bad{
			{`"Ā"`, "", "up to U+00FF", ""}, {`"\u0100"`, "", "U+00FF", ""}, {`[1]`, "", "bytes", "an array"},
		}},
	}
}

func namedCases() []schemaCase {
	return []schemaCase{
		{"fixed", `{"type":"fixed","name":"F","size":3}`, []good{{`"abc"`, "616263", ""}, {`"\u00ff\u00fe\u00fd"`, "fffefd", ""}}, []bad{
			{`"ab"`, "", "fixed F of 3 bytes", `"ab"`}, {`"abcd"`, "", "fixed F", `"abcd"`}, {`"ab\u0100"`, "", "U+00FF", ""}, {`7`, "", "fixed F", ""},
		}},
		{"enum", `{"type":"enum","name":"Suit","namespace":"cards","symbols":["SPADES","HEARTS"],"default":"SPADES"}`, []good{{`"SPADES"`, "00", ""}, {`"HEARTS"`, "02", ""}, {`"\u0048EARTS"`, "02", `"HEARTS"`}}, []bad{
			{`"CLUBS"`, "", "enum cards.Suit (SPADES, HEARTS)", `"CLUBS"`}, {`0`, "", "enum cards.Suit", "0"}, {`"spades"`, "", "enum", ""},
		}},
		{"array", `{"type":"array","items":"int"}`, []good{{`[]`, "00", ""}, {`[1,-1]`, "04020100", ""}, {"[ 1 ,\t2\r\n]", "04020400", "[1,2]"}}, []bad{
			{`[1,"a"]`, "/1", "int", `"a"`}, {`[1,]`, "", "JSON", "']'"}, {`[,1]`, "/0", "int", ""}, {`[1 2]`, "", "JSON", "'2'"}, {`[1`, "", "JSON", "the end"}, {`{}`, "", "array of int", "an object"},
		}},
		{"map", `{"type":"map","values":"int"}`, []good{{`{}`, "00", ""}, {`{"a":1,"é":2}`, "04026102" + "04c3a904" + "00", ""}}, []bad{
			{`{"a":1,"b":null}`, "/b", "int", "null"},
			{`{"a~/":"x"}`, "/a~0~1", "int", ""},
			{`{"a":1,"a":2}`, "/a", "int", "twice"},
			{`{"a":1,"\u0061":2}`, "/a", "int", "twice"},
			{`{"a"}`, "", "JSON", "'}'"},
			{`{a:1}`, "", "JSON", "'a'"},
			{`{"a":1,}`, "", "JSON", ""},
			{`[]`, "", "map of int", "an array"},
		}},
		{"record", address, []good{
			{`{"street":"x","no":1}`, "027802", ""}, {`{"no":1,"street":"x"}`, "027802", `{"street":"x","no":1}`}, {`{"n\u006f":1,"street":"x"}`, "027802", `{"street":"x","no":1}`},
		}, []bad{
			{`{"street":"x"}`, "/no", "int", "nothing"},
			{`{}`, "/street", "string", "nothing"},
			{`{"street":"x","no":1,"zip":2}`, "/zip", "a member of record shop.Address", "one that it does not have"},
			{`{"street":"x","no":"1"}`, "/no", "int", `"1"`},
			{`{"street":"x","no":1,"no":1}`, "/no", "int", "twice"},
			{`[]`, "", "record shop.Address", "an array"},
			{`null`, "", "record", "null"},
			{`{"street":"x","no":1`, "", "JSON", "the end"},
			{`{"street":"x","no":1}}`, "", "JSON", "'}'"},
		}},
		{"defaults", `{"type":"record","name":"D","fields":[
			{"name":"a","type":"int","default":7},{"name":"b","type":"string","default":"x"},{"name":"c","type":["null","long"],"default":null},{"name":"d","type":["long","null"],"default":3},
			{"name":"e","type":{"type":"array","items":"int"},"default":[1,2]},{"name":"f","type":{"type":"map","values":"boolean"},"default":{"t":true}},{"name":"g","type":"bytes","default":"\u00ff"},
			{"name":"h","type":{"type":"enum","name":"E","symbols":["P","Q"]},"default":"Q"},{"name":"i","type":{"type":"record","name":"I","fields":[{"name":"x","type":"double","default":0.5}]},"default":{}},
			{"name":"j","type":{"type":"fixed","name":"J","size":1},"default":"z"},{"name":"k","type":"float","default":1.5},{"name":"l","type":"boolean","default":true},{"name":"must","type":"int"}]}`, nil, []bad{{`{"a":1}`, "/must", "int", "nothing"}, {`{"must":1,"c":"x"}`, "/c", "one of null, long", `"x"`}}},
		{
			"nested", `{"type":"record","name":"O","fields":[{"name":"lines","type":{"type":"array","items":{"type":"record","name":"L","fields":[{"name":"m","type":{"type":"map","values":"long"}}]}}}]}`,
			[]good{{`{"lines":[{"m":{"a":1}}]}`, "020202610200" + "00", ""}},
			[]bad{{`{"lines":[{"m":{}},{"m":{"q":true}}]}`, "/lines/1/m/q", "long", "true"}},
		},
		{
			"recursive", tree,
			[]good{{`{"v":1,"next":{"Node":{"v":2,"next":null}}}`, "02020400", ""}, {`{"v":1,"next":{"v":2}}`, "02020400", `{"v":1,"next":{"Node":{"v":2,"next":null}}}`}},
			[]bad{{`{"v":1,"next":{"v":"x"}}`, "/next/v", "int", `"x"`}, {`{"v":1,"next":{"Node":{"v":"x"}}}`, "/next/Node/v", "int", `"x"`}},
		},
	}
}

func unionCases() []schemaCase {
	return []schemaCase{
		{"optional", `["null","string"]`, []good{{`null`, "00", ""}, {`"a"`, "020261", ""}, {`{"string":"a"}`, "020261", `"a"`}, {` { "string" : "a" } `, "020261", `"a"`}}, []bad{
			{`1`, "", "one of null, string", "1"},
			{`{"string":1}`, "/string", "string", "1"},
			{`{"int":1}`, "", "one of null, string", "an object"},
			{`{}`, "", "one of", "an object"},
			{`{"string":"a","x":1}`, "", "one of", "an object"},
			{`[]`, "", "one of", "an array"},
		}},
		{"numbers", `["float","int","double","long"]`, []good{
			{`1`, "0202", `{"int":1}`},
			{`3000000000`, "0680f882ad16", `{"long":3000000000}`},
			{`1.5`, "04000000000000f83f", `{"double":1.5}`},
			{`{"float":1}`, "000000803f", ""},
			{`1e2`, "040000000000005940", `{"double":100}`},
		}, []bad{{`"x"`, "", "one of float", `"x"`}, {`true`, "", "one of", "true"}}},
		{"texts", `["bytes",{"type":"enum","name":"E","symbols":["A"]},"string","double"]`, []good{{`"A"`, "0200", `{"E":"A"}`}, {`"B"`, "040242", `{"string":"B"}`}, {`{"bytes":"B"}`, "000242", ""}, {`"NaN"`, "04064e614e", `{"string":"NaN"}`}}, nil},
		{"shapes", `["null","boolean",{"type":"array","items":"int"},{"type":"map","values":"int"},` + address + `]`, []good{
			{`true`, "0201", `{"boolean":true}`},
			{`[1]`, "04020200", `{"array":[1]}`},
			{`{"a":1}`, "060202610200", `{"map":{"a":1}}`},
			{`{"street":"x","no":1}`, "08027802", `{"shop.Address":{"street":"x","no":1}}`},
			{`{"Address":{"street":"x","no":1}}`, "08027802", `{"shop.Address":{"street":"x","no":1}}`},
			{`{"map":1}`, "0602066d61700200", `{"map":{"map":1}}`},
			{`{"map":{"map":1}}`, "0602066d61700200", ""},
		}, []bad{{`{"street":"x","no":"y"}`, "", "one of null", "an object"}, {`"x"`, "", "one of", ""}}},
	}
}

func logicalCases() []schemaCase {
	of := func(typ, logical string) string { return `{"type":"` + typ + `","logicalType":"` + logical + `"}` }
	return []schemaCase{
		{"date", of("int", "date"), []good{{`"1970-01-01"`, "00", ""}, {`"1969-12-31"`, "01", ""}, {`"2024-02-29"`, "8cb502", ""}, {`1`, "02", `"1970-01-02"`}, {`2147483647`, "feffffff0f", ""}}, []bad{
			{`"2023-02-29"`, "", "date", ""}, {`"24-01-01"`, "", "2006-01-02", ""}, {`"x"`, "", "date", `"x"`}, {`1.5`, "", "date", ""}, {`null`, "", "int (date)", "null"},
		}},
		{"time-millis", of("int", "time-millis"), []good{{`"00:00:00"`, "00", ""}, {`"23:59:59.999"`, "feefb252", ""}, {`1`, "02", `"00:00:00.001"`}}, []bad{
			{`86400000`, "", "less than a day", ""}, {`-1`, "", "less than a day", ""}, {`"24:00:00"`, "", "time-millis", ""}, {`"00:00:00.0001"`, "", "at most as precise", ""},
		}},
		{"time-micros", of("long", "time-micros"), []good{{`"00:00:00.000001"`, "02", ""}}, []bad{{`86400000000`, "", "less than a day", ""}, {`"00:00:00.0000001"`, "", "precise", ""}}},
		{"timestamp-millis", of("long", "timestamp-millis"), []good{
			{`"1970-01-01T00:00:00Z"`, "00", ""},
			{`"1970-01-01T01:00:00.001+01:00"`, "02", `"1970-01-01T00:00:00.001Z"`},
			{`"1969-12-31T23:59:59.999Z"`, "01", ""},
			{`0`, "00", `"1970-01-01T00:00:00Z"`},
			{`9223372036854775807`, "feffffffffffffffff01", ""},
			{`-9223372036854775808`, "ffffffffffffffffff01", ""},
		}, []bad{
			{`"1970-01-01T00:00:00.0001Z"`, "", "precise", ""},
			{`"1970-01-01T00:00:00"`, "", "RFC 3339", ""},
			{`"1970-01-01"`, "", "RFC 3339", ""},
			{`"1970-01-01T00:00:00,5Z"`, "", "RFC 3339", ""},
			{`"1970-01-01T00:00:60Z"`, "", "RFC 3339", ""},
			{`"1970-01-01T00:00:00.0000000001Z"`, "", "RFC 3339", ""},
			{`1.5`, "", "timestamp-millis", ""},
		}},
		{"timestamp-micros", of("long", "timestamp-micros"), []good{{`"1970-01-01T00:00:00.000001Z"`, "02", ""}}, []bad{{`"1970-01-01T00:00:00.0000001Z"`, "", "precise", ""}}},
		{"timestamp-nanos", of("long", "timestamp-nanos"), []good{{`"1970-01-01T00:00:00.000000001Z"`, "02", ""}}, []bad{{`"2263-01-01T00:00:00Z"`, "", "timestamp-nanos", ""}, {`"1600-01-01T00:00:00Z"`, "", "timestamp-nanos", ""}}},
		{"local-timestamp-millis", of("long", "local-timestamp-millis"), []good{{`"1970-01-01T00:00:00.001"`, "02", ""}}, []bad{{`"1970-01-01T00:00:00Z"`, "", "2006-01-02T15:04:05.999", ""}}},
		{"local-timestamp-micros", of("long", "local-timestamp-micros"), []good{{`"1970-01-01T00:00:00.000001"`, "02", ""}, {`"1969-12-31T23:59:59.999999"`, "01", ""}}, []bad{
			{`"1970-01-01T00:00:00.0000001"`, "", "precise", ""}, {`"1970-01-01T00:00:00+01:00"`, "", "2006-01-02T15:04", ""}, {`9223372036854775808`, "", "local-timestamp-micros", ""},
		}},
		{"local-timestamp-nanos", of("long", "local-timestamp-nanos"), []good{{`"1970-01-01T00:00:00.000000001"`, "02", ""}, {`-1`, "01", `"1969-12-31T23:59:59.999999999"`}}, []bad{
			{`"2263-01-01T00:00:00"`, "", "local-timestamp-nanos", ""}, {`"1970-01-01T00:00:00.0000000001"`, "", "2006-01-02T15:04", ""}, {`true`, "", "local-timestamp-nanos", "true"},
		}},
		{"decimal", `{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}`, []good{
			{`"0.00"`, "0200", ""},
			{`0`, "0200", `"0.00"`},
			{`1.27`, "027f", `"1.27"`},
			{`1.28`, "040080", `"1.28"`},
			{`-1.28`, "0280", `"-1.28"`},
			{`-1.29`, "04ff7f", `"-1.29"`},
			{`"99.99"`, "04270f", ""},
			{`"-99.99"`, "04d8f1", ""},
			{`1.2e1`, "0404b0", `"12.00"`},
			{`1.000`, "0264", `"1.00"`},
			{`1e-2`, "0201", `"0.01"`},
			{`0e5`, "0200", `"0.00"`},
		}, []bad{
			{`100`, "", "decimal of at most 4 digits, 2 of them", "100"}, {`0.001`, "", "decimal", ""}, {`"1,5"`, "", "decimal", ""}, {`"abc"`, "", "decimal", ""}, {`"NaN"`, "", "decimal", ""}, {`1e9999999999`, "", "decimal", ""}, {`true`, "", "decimal", ""}, {`""`, "", "decimal", ""},
		}},
		{"decimal fixed", `{"type":"fixed","name":"D","size":4,"logicalType":"decimal","precision":9,"scale":0}`, []good{{`1`, "00000001", `"1"`}, {`-1`, "ffffffff", `"-1"`}, {`"999999999"`, "3b9ac9ff", ""}}, []bad{{`1000000000`, "", "decimal", ""}, {`0.5`, "", "decimal", ""}}},
		{"uuid", of("string", "uuid"), []good{{`"f81d4fae-7dec-11d0-a765-00a0c91e6bf6"`, "4866383164346661652d376465632d313164302d613736352d303061306339316536626636", ""}}, []bad{
			{`"f81d4fae"`, "", "uuid", ""}, {`"f81d4fae-7dec-11d0-a765-00a0c91e6bfg"`, "", "uuid", ""}, {`"f81d4fae7dec-11d0-a765-00a0c91e6bf6-"`, "", "uuid", ""}, {`1`, "", "string (uuid)", ""},
		}},
		{"uuid fixed", `{"type":"fixed","name":"U","size":16,"logicalType":"uuid"}`, []good{{`"f81d4fae-7dec-11d0-a765-00a0c91e6bf6"`, "f81d4fae7dec11d0a76500a0c91e6bf6", ""}}, []bad{{`"x"`, "", "uuid", ""}}},
		{"duration", `{"type":"fixed","name":"D","size":12,"logicalType":"duration"}`, []good{
			{`"PT0S"`, "000000000000000000000000", ""}, {`"P1M2DT3.004S"`, "0100000002000000bc0b0000", ""}, {`"P1Y2M3W4DT5H6M7S"`, "0e0000001900000018421801", `"P14M25DT18367S"`}, {`"P4294967295D"`, "00000000ffffffff00000000", ""},
		}, []bad{{`"P4294967296D"`, "", "duration", ""}, {`"P"`, "", "duration", ""}, {`"PT"`, "", "duration", ""}, {`"P1D2M"`, "", "duration", ""}, {`"P1.5D"`, "", "duration", ""}, {`"PT1.0001S"`, "", "duration", ""}, {`"-P1D"`, "", "duration", ""}}},
		{"no logical type there", `{"type":"string","logicalType":"timestamp-millis"}`, []good{{`"x"`, "0278", ""}}, []bad{{`1`, "", "string", ""}}},
		{"optional date", `["null",{"type":"int","logicalType":"date"}]`, []good{{`"1970-01-02"`, "0202", ""}, {`null`, "00", ""}, {`{"int":"1970-01-02"}`, "0202", `"1970-01-02"`}}, []bad{{`"x"`, "", "date", ""}}},
		{"decimal or text", `["null",{"type":"bytes","logicalType":"decimal","precision":4,"scale":1},"string"]`, []good{{`"1.5"`, "02020f", `{"bytes":"1.5"}`}, {`1.5`, "02020f", `{"bytes":"1.5"}`}, {`"x"`, "040278", `{"string":"x"}`}}, nil},
	}
}
