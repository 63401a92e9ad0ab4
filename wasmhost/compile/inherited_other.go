//go:build !unix || solaris || illumos || aix

package compile

// closeInherited does nothing: on Windows only handles that are named are inherited; the rest have no compiler of wazero's
// that Sluice is tested with.
func closeInherited() {}
