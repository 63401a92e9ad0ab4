package registry

// OpenFaulty is Open of a folder whose store asks fault before every step of a write.
func OpenFaulty(folder string, o Options, fault func(step, path string) error) (*Registry, error) {
	d, err := openDir(folder)
	if err != nil {
		return nil, err
	}
	d.fault = fault
	return New(d, o)
}

// Seal makes a document with a right checksum of any body.
func Seal(body []byte) []byte { return seal(body) }
