//go:build unix && !linux

package compile

// confine limits this process' processor time. Memory is limited for Go's runtime only, which keeps to it as long as it
// can: what address space these systems count, and whether they enforce a limit of it, differs.
func confine(cpuSeconds, memory int64) (warnings []string, err error) {
	if err := limitProcessor(cpuSeconds); err != nil {
		return nil, err
	}
	limitRuntime(memory)
	return []string{settingMemory + " is not enforced on this system, Go's garbage collector only aims at it"}, nil
}
