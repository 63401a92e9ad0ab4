package memory

import (
	"bytes"
	"testing"
)

func TestInputIsUsedAgain(t *testing.T) {
	var m Memory
	first := m.Input(100)
	if m.Input(minBlock) != first {
		t.Error("an input that has room moved")
	}
	larger := m.Input(minBlock + 1)
	if larger == first || larger%8 != 0 || first == 0 {
		t.Errorf("inputs at %d and %d", first, larger)
	}
	if _, ok := m.At(first, 1); ok {
		t.Error("the input before can still be read")
	}
	if m.Input(maxInput+1) != 0 {
		t.Error("there is room for more than there can be")
	}
}

func TestAtChecks(t *testing.T) {
	var m Memory
	base := m.Input(minBlock)
	for _, c := range []struct {
		at, n uint32
		want  bool
	}{
		{base, minBlock, true},
		{base + minBlock, 0, true},
		{base + minBlock - 1, 1, true},
		{base + minBlock - 1, 2, false},
		{base + minBlock, 1, false},
		{base - 1, 1, false},
		{base, minBlock + 1, false},
		{base + 8, ^uint32(0), false},
		{0, 1, false},
	} {
		if p, ok := m.At(c.at, c.n); ok != c.want || ok && len(p) != int(c.n) {
			t.Errorf("At(base%+d, %d): %d bytes, %v", int64(c.at)-int64(base), c.n, len(p), ok)
		}
	}
}

// TestRoomsStay: what was given out stays as it is, however much follows.
func TestRoomsStay(t *testing.T) {
	var m Memory
	for range 3 {
		m.Reset()
		var rooms [][]byte
		var at []uint32
		for i := range 100 {
			p := m.Room(1000 * i)
			for k := range p {
				p[k] = byte(i)
			}
			placed, address := m.Place(p)
			if len(p) > 0 && &placed[0] != &p[0] {
				t.Fatal("what stands in the room was copied")
			}
			rooms, at = append(rooms, p), append(at, address)
		}
		for i, p := range rooms {
			if !bytes.Equal(p, bytes.Repeat([]byte{byte(i)}, 1000*i)) {
				t.Fatalf("room %d was overwritten", i)
			}
			if again, address := m.Place(p); i > 0 && (address != at[i] || &again[0] != &p[0] || at[i]%8 != 0) {
				t.Fatalf("room %d is at %d, and was at %d", i, address, at[i])
			}
			if seen, ok := m.Anywhere(at[i], uint32(len(p))); !ok || !bytes.Equal(seen, p) {
				t.Fatalf("the host finds %d bytes at room %d, %v", len(seen), i, ok)
			}
		}
	}
}

func TestPlace(t *testing.T) {
	var m Memory
	base := m.Input(100)
	input, _ := m.At(base, 100)
	if _, at := m.Place(input[10:20]); at != base+10 {
		t.Errorf("a part of the input is at %d, want %d", at, base+10)
	}
	mine := []byte("mine")
	placed, at := m.Place(mine)
	mine[0] = 'x'
	if seen, ok := m.Anywhere(at, 4); !ok || string(seen) != "mine" || string(placed) != "mine" {
		t.Errorf("the copy is %q, the host finds %q, %v", placed, seen, ok)
	}
	if placed, _ := m.Place([]byte{}); placed == nil || len(placed) != 0 {
		t.Errorf("what is empty became %v", placed)
	}
}

func TestResetGivesBack(t *testing.T) {
	var m Memory
	m.Room(10 * keepBlock)
	m.Reset()
	if len(m.room.data) > keepBlock {
		t.Errorf("%d bytes are kept", len(m.room.data))
	}
	m.Room(100)
	before := &m.Room(100)[0]
	m.Reset()
	m.Room(100)
	if &m.Room(100)[0] != before {
		t.Error("the room is not used again")
	}
}
