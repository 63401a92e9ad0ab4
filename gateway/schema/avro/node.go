package avro

// kind is a type of Avro.
type kind uint8

const (
	kindNull kind = iota
	kindBoolean
	kindInt
	kindLong
	kindFloat
	kindDouble
	kindBytes
	kindString
	kindRecord
	kindEnum
	kindArray
	kindMap
	kindFixed
	kindUnion
)

// logical is a logical type of the Avro specification on a type that it is allowed on; others have no meaning.
type logical uint8

const (
	logicalNone logical = iota
	logicalDate
	logicalTimeMillis
	logicalTimeMicros
	logicalTimestampMillis
	logicalTimestampMicros
	logicalTimestampNanos
	logicalLocalMillis
	logicalLocalMicros
	logicalLocalNanos
	logicalDecimal
	logicalUUID
	logicalDuration
)

// node is a type of a schema. Recursive schemas are graphs of nodes.
type node struct {
	kind    kind
	logical logical
	name    string // full name of a record, enum or fixed
	branch  string // how a union's tag names it
	word    string // how an error names it

	fields   []field        // of a record
	index    map[string]int // field by name
	items    *node          // of an array, or the values of a map
	symbols  []string       // of an enum
	ordinals map[string]int
	size     int // of a fixed

	precision, scale int // of a decimal

	union *union
}

// field is a field of a record.
type field struct {
	name   string
	typ    *node
	def    []byte // the default as it is written
	value  any    // the default as the library read it
	hasDef bool
}

// union is the branches of a union, and which of them a value of each JSON type may be, in the order in which they are tried.
type union struct {
	branches []*node
	byTag    map[string]int
	null     int // -1 if it has none

	bools, whole, fraction, strings, arrays, objects []int

	plain bool // a decoded value needs no tag: it is null or the only other branch
}

// unit is the nanoseconds of one step of a time or timestamp.
func (l logical) unit() int64 {
	switch l {
	case logicalTimeMillis, logicalTimestampMillis, logicalLocalMillis:
		return 1e6
	case logicalTimeMicros, logicalTimestampMicros, logicalLocalMicros:
		return 1e3
	default:
		return 1
	}
}
