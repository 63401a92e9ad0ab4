// Package json looks into JSON texts without building anything from them. [Doc.Parse] checks a text once, completely and as
// strictly as encoding/json, and notes where its values stand; from then on a [Value] is one of these places, and looking
// into it cannot fail. A Doc that is used again allocates nothing, except for errors and where its list must grow.
//
// It exists because encoding/json is large, slow to start and allocates for everything it reads. It is meant for guests,
// which read a few fields of each record, or change a few and want every other byte to stay as it is.
package json
