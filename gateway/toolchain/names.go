package toolchain

import (
	"slices"
	"strings"
)

// taken are names that Go refuses as a module's path: those of the standard library, of patterns, and of Windows' devices.
const taken = `
	all cmd std tool vendor work
	archive bufio builtin bytes cmp compress container context crypto database debug embed encoding errors expvar flag fmt go hash
	html image index internal io iter log maps math mime net os path plugin reflect regexp runtime simd slices sort strconv strings
	structs sync syscall testing text time unicode unique unsafe weak
	con prn aux nul com0 com1 com2 com3 com4 com5 com6 com7 com8 com9 lpt0 lpt1 lpt2 lpt3 lpt4 lpt5 lpt6 lpt7 lpt8 lpt9 `

// goModule is the path of a new module in Go: its name, if Go can have it.
func goModule(name string) string {
	name = strings.TrimRight(name, ".")
	first, _, _ := strings.Cut(name, ".") // Windows takes con.x for con
	if slices.Contains(strings.Fields(taken), first) {
		return "module-" + name
	}
	return name
}

// crateName makes an identifier of a name, which may have dots and begin with a digit.
func crateName(name string) string {
	name = strings.NewReplacer(".", "_", "-", "_").Replace(name)
	if name[0] >= '0' && name[0] <= '9' {
		return "module_" + name
	}
	return name
}
