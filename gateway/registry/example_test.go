package registry_test

import (
	"fmt"
	"os"

	"sluice/gateway/registry"
)

// A new version is tried on 5 % of the keys, and taken back.
func Example() {
	r, err := registry.Open("", registry.Options{}) // "" keeps it in memory
	if err != nil {
		fmt.Fprintln(os.Stdout, err)
		return
	}
	defer r.Close() //nolint:errcheck // there is nothing to write
	origin := registry.Origin{Kind: registry.Uploaded}
	one, _ := r.Put("redact", []byte("version one"), nil, origin)
	two, _ := r.Put("redact", []byte("version two"), nil, origin)
	fmt.Fprintln(os.Stdout, "active after the upload:", one.Active, two.Active)

	err = r.Canary("redact", two.ID, 5, "new card formats")
	fmt.Fprintln(os.Stdout, "canary:", err)
	err = r.Promote("redact", two.ID, "no error in an hour")
	fmt.Fprintln(os.Stdout, "promoted:", err)
	id, err := r.Rollback("redact", "masks too much")
	fmt.Fprintln(os.Stdout, "rolled back to the first:", id == one.ID, err)
	// Output:
	// active after the upload: true false
	// canary: <nil>
	// promoted: <nil>
	// rolled back to the first: true <nil>
}
