package reactor

import (
	"math/bits"
	"unsafe"
)

// machineTable has the machines of a kind on one loop, by row. Rows never move. Memory for
// them is allocated as they are used, a page at a time: the garbage collector counts it, and
// scans it if M has pointers, and a kind may have room for a million machines.
type machineTable[M any] struct {
	pages [][]M
	shift uint32 // from a row to its page
	most  int
}

// machinePage is the size of a page in bytes, unless one machine is larger.
const machinePage = 64 << 10

func newMachineTable[M any](most int) machineTable[M] {
	perPage := max(1, machinePage/max(1, unsafe.Sizeof(*new(M))))
	shift := uint32(bits.Len(uint(perPage)) - 1)
	return machineTable[M]{pages: make([][]M, (most-1)>>shift+1), shift: shift, most: most}
}

// at returns the machine of a row that is in use.
func (t *machineTable[M]) at(row uint32) *M {
	return &t.pages[row>>t.shift][row&(1<<t.shift-1)]
}

// make returns the machine of a row, which may be used for the first time.
func (t *machineTable[M]) make(row uint32) *M {
	if page := row >> t.shift; t.pages[page] == nil {
		first := int(page << t.shift)
		t.pages[page] = make([]M, min(1<<t.shift, t.most-first))
	}
	return t.at(row)
}
