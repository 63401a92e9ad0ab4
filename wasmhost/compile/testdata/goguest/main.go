// Command goguest is a guest as Go's own compiler makes it: large, with an import of WASI and a garbage collector.
package main

import "strconv"

var kept []string

// digits returns how many digits the numbers below n have together, which takes some of Go's runtime to find out.
//
//go:wasmexport digits
func digits(n int32) int32 {
	kept = kept[:0]
	total := 0
	for i := range int(n) {
		kept = append(kept, strconv.Itoa(i))
		total += len(kept[i])
	}
	return int32(total)
}

func main() {}
