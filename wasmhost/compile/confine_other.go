//go:build !unix

package compile

// confine has no limits to set on this system. The time that a compilation may take is enforced by the parent.
func confine(_, memory int64) (warnings []string, err error) {
	limitRuntime(memory)
	return []string{settingCPU + " and " + settingMemory + " are not enforced on this system"}, nil
}
