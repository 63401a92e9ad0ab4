package wasmhost

import (
	"encoding/binary"
	"errors"
	"unicode/utf16"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"

	"sluice/guest-sdk/abi"
)

const wasiModule = "wasi_snapshot_preview1"

// Error numbers of WASI preview 1.
const (
	wasiOK     = 0
	wasiBadf   = 8
	wasiFault  = 21
	wasiInval  = 28
	wasiNosys  = 52
	wasiSpipe  = 70
	maxRandom  = 64 << 10 // bytes that random_get gives at once
	monoStep   = 1e6      // nanoseconds that the monotonic clock goes on with every look at it
	eventSize  = 32
	subscrSize = 48
)

var errAborted = errors.New("it called abort")

// wasiFuncs is WASI as far as language runtimes need it to start: no files, no sockets, and clocks that stand still during
// a call. Everything else is there to be linked and answers ENOSYS. Descriptors from 3 on are EBADF, on which Go and
// wasi-libc stop looking for preopened directories.
func wasiFuncs() []hostFunc {
	type f = func(c *callContext, mem api.Memory, s []uint64) uint32
	table := []struct { //nolint:prealloc // it has a literal
		name, params string
		call         f
	}{
		{"args_get", "ii", func(c *callContext, mem api.Memory, s []uint64) uint32 {
			return writeStrings(mem, c.args(), s[0], s[1])
		}},
		{"args_sizes_get", "ii", func(c *callContext, mem api.Memory, s []uint64) uint32 { return writeSizes(mem, c.args(), s[0], s[1]) }},
		{"environ_get", "ii", func(c *callContext, mem api.Memory, s []uint64) uint32 {
			return writeStrings(mem, c.environ(), s[0], s[1])
		}},
		{"environ_sizes_get", "ii", func(c *callContext, mem api.Memory, s []uint64) uint32 {
			return writeSizes(mem, c.environ(), s[0], s[1])
		}},
		{"clock_time_get", "iIi", func(c *callContext, mem api.Memory, s []uint64) uint32 { return c.clock(mem, s[0], s[2]) }},
		{"clock_res_get", "ii", func(_ *callContext, mem api.Memory, s []uint64) uint32 { return put64(mem, s[1], monoStep) }},
		{"random_get", "ii", func(c *callContext, mem api.Memory, s []uint64) uint32 { return c.random(mem, s[0], s[1]) }},
		{"fd_write", "iiii", func(c *callContext, mem api.Memory, s []uint64) uint32 { return c.fdWrite(mem, s) }},
		{"fd_read", "iiii", func(_ *callContext, mem api.Memory, s []uint64) uint32 {
			if s[0] != 0 {
				return wasiBadf
			}
			return put32(mem, s[3], 0) // the end of the input
		}},
		{"fd_close", "i", nil},
		{"fd_fdstat_get", "ii", fdstat},
		{"fd_fdstat_set_flags", "ii", nil},
		{"fd_prestat_get", "ii", badf},
		{"fd_prestat_dir_name", "iii", badf},
		{"fd_seek", "iIii", func(*callContext, api.Memory, []uint64) uint32 { return wasiSpipe }},
		{"poll_oneoff", "iiii", func(c *callContext, mem api.Memory, s []uint64) uint32 { return c.poll(mem, s) }},
		{"sched_yield", "", nil},
	}
	for name, params := range wasiUnsupported() {
		table = append(table, struct {
			name, params string
			call         f
		}{name, params, func(*callContext, api.Memory, []uint64) uint32 { return wasiNosys }})
	}
	funcs := make([]hostFunc, 0, len(table)+1)
	for _, t := range table {
		funcs = append(funcs, hostFunc{wasiModule, t.name, t.params, "i", func(c *callContext, mem api.Memory, s []uint64) {
			rc := uint32(wasiOK)
			if t.call != nil {
				rc = t.call(c, mem, s)
			}
			if len(s) > 0 {
				s[0] = uint64(rc)
			}
		}})
	}
	return append(funcs, hostFunc{wasiModule, "proc_exit", "i", "", func(_ *callContext, _ api.Memory, s []uint64) {
		panic(sys.NewExitError(uint32(s[0]))) //nolint:forbidigo // wazero recovers it: proc_exit does not return
	}})
}

// wasiUnsupported is the functions that only exist, with their parameters.
func wasiUnsupported() map[string]string {
	return map[string]string{
		"fd_advise": "iIIi", "fd_allocate": "iII", "fd_datasync": "i", "fd_fdstat_set_rights": "iII", "fd_filestat_get": "ii",
		"fd_filestat_set_size": "iI", "fd_filestat_set_times": "iIIi", "fd_pread": "iiiIi", "fd_pwrite": "iiiIi",
		"fd_readdir": "iiiIi", "fd_renumber": "ii", "fd_sync": "i", "fd_tell": "ii", "path_create_directory": "iii",
		"path_filestat_get": "iiiii", "path_filestat_set_times": "iiiiIIi", "path_link": "iiiiiii", "path_open": "iiiiiIIii",
		"path_readlink": "iiiiii", "path_remove_directory": "iii", "path_rename": "iiiiii", "path_symlink": "iiiii",
		"path_unlink_file": "iii", "proc_raise": "i", "sock_accept": "iii", "sock_recv": "iiiiii", "sock_send": "iiiii",
		"sock_shutdown": "ii",
	}
}

func badf(*callContext, api.Memory, []uint64) uint32 { return wasiBadf }

// fdstat says that 0, 1 and 2 are character devices.
func fdstat(_ *callContext, mem api.Memory, s []uint64) uint32 {
	if s[0] > 2 {
		return wasiBadf
	}
	p, ok := mem.Read(uint32(s[1]), 24)
	if !ok {
		return wasiFault
	}
	clear(p)
	p[0] = 2
	return wasiOK
}

func put32(mem api.Memory, at uint64, v uint32) uint32 {
	if !mem.WriteUint32Le(uint32(at), v) {
		return wasiFault
	}
	return wasiOK
}

func put64(mem api.Memory, at, v uint64) uint32 {
	if !mem.WriteUint64Le(uint32(at), v) {
		return wasiFault
	}
	return wasiOK
}

func writeSizes(mem api.Memory, list []string, count, size uint64) uint32 {
	n := 0
	for _, s := range list {
		n += len(s) + 1
	}
	return max(put32(mem, count, uint32(len(list))), put32(mem, size, uint32(n)))
}

func writeStrings(mem api.Memory, list []string, pointers, buf uint64) uint32 {
	for i, s := range list {
		if rc := put32(mem, pointers+4*uint64(i), uint32(buf)); rc != wasiOK {
			return rc
		}
		if !mem.WriteString(uint32(buf), s+"\x00") {
			return wasiFault
		}
		buf += uint64(len(s)) + 1
	}
	return wasiOK
}

// clock shows wall clock as now_ms does, and a monotonic clock that goes on only by being looked at.
func (c *callContext) clock(mem api.Memory, id, at uint64) uint32 {
	switch id {
	case 0:
		return put64(mem, at, uint64(c.now)*1e6)
	case 1:
		c.mono += monoStep
		return put64(mem, at, uint64(c.mono))
	}
	return wasiInval
}

func (c *callContext) random(mem api.Memory, at, n uint64) uint32 {
	p, ok := mem.Read(uint32(at), uint32(n))
	switch {
	case !ok:
		return wasiFault
	case len(p) > maxRandom:
		return wasiInval
	}
	c.charge(len(p) / perRandom)
	_, _ = c.rand.Read(p) // never fails
	return wasiOK
}

// fdWrite takes a few lines at most, and so says that it wrote less than it was given: the guest comes again for the rest.
func (c *callContext) fdWrite(mem api.Memory, s []uint64) uint32 {
	const room, maxParts = 4 * abi.MaxLine, 1024
	if s[0] != 1 && s[0] != 2 {
		return wasiBadf
	}
	iovs, ok := mem.Read(uint32(s[1]), 8*min(uint32(s[2]), maxParts))
	if !ok {
		return wasiFault
	}
	written := uint32(0)
	for ; len(iovs) >= 8; iovs = iovs[8:] {
		c.charge(unitsPart)
		n := min(le32(iovs, 4), room-written)
		p, ok := mem.Read(le32(iovs, 0), n)
		if !ok {
			return wasiFault
		}
		c.write(int(s[0]), p)
		written += n
		if n < le32(iovs, 4) {
			break
		}
	}
	return put32(mem, s[3], written)
}

// poll says at once that everything has happened: time does not pass for a guest.
func (c *callContext) poll(mem api.Memory, s []uint64) uint32 {
	const maxSubscriptions = 256
	n := uint32(s[2])
	if n == 0 || n > maxSubscriptions {
		return wasiInval
	}
	in, ok := mem.Read(uint32(s[0]), n*subscrSize)
	if !ok {
		return wasiFault
	}
	out, ok := mem.Read(uint32(s[1]), n*eventSize)
	if !ok {
		return wasiFault
	}
	c.charge(int(n) * unitsPart)
	for i := range int(n) {
		event := [eventSize]byte{}
		binary.LittleEndian.PutUint64(event[0:], le64(in, i*subscrSize))
		event[10] = in[i*subscrSize+8]
		copy(out[i*eventSize:], event[:])
	}
	return put32(mem, s[3], n)
}

// utf16At reads an AssemblyScript string.
func (c *callContext) utf16At(mem api.Memory, ptr uint32) string {
	n, ok := mem.ReadUint32Le(ptr - 4)
	if !ok || ptr < 4 {
		return ""
	}
	p, ok := mem.Read(ptr, min(n, abi.MaxLine*2)&^1)
	if !ok {
		return ""
	}
	c.charge(len(p) / perText)
	units := make([]uint16, 0, len(p)/2)
	for ; len(p) >= 2; p = p[2:] {
		units = append(units, binary.LittleEndian.Uint16(p))
	}
	return string(utf16.Decode(units))
}
