package codec

// Description is a compiled schema in the words of people, for the desk.
type Description struct {
	Type     string    `json:"type"`               // of a value: "record shop.Order"
	Draft    string    `json:"draft,omitempty"`    // of a JSON Schema: "2020-12"
	Messages []Message `json:"messages,omitempty"` // that a Protobuf schema declares
	Fields   []Field   `json:"fields,omitempty"`
}

// Message is a message of a Protobuf schema.
type Message struct {
	Name    string `json:"name"`
	Indexes []int  `json:"indexes"` // as they stand before it in records
}

// Field is a member of a value.
type Field struct {
	Name     string  `json:"name"`
	Type     string  `json:"type"`
	Required bool    `json:"required,omitempty"` // a value without it is refused
	Note     string  `json:"note,omitempty"`     // more about it: "default null", "oneof payment"
	Fields   []Field `json:"fields,omitempty"`   // of a record that was not described before
}

// MaxDescribed is how deep Describe goes into a schema.
const MaxDescribed = 8
