package fsm

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// MaxPorts is the number of descriptors that a machine may own.
const MaxPorts = 4

// Port is the number of one of a machine's descriptors, 0 to MaxPorts-1.
type Port uint8

// Ready is a set of readiness bits of ports. It is used both for the readiness that a
// row waits for and for the readiness that has come. In a row, each readable bit may
// also have a [Gate]. Create it with the methods of [Port] and [Ready.While], and
// join sets with |.
//
//	63   62  61  48 47    40 39    32 31    24 23    16 15    12 11     8 7      4 3      0
//	| W | P |  0   | gate 3 | gate 2 | gate 1 | gate 0 | opened | drained| write  | read   |
//
// Each kind of readiness has four bits, bit p of them for port p. W and P are set by
// mistakes, which Check reports: W by a While without a readable bit, P by a port that
// is too large.
type Ready uint64

const (
	writableAt = 4
	drainedAt  = 8
	openedAt   = 12
	gatesAt    = 16
	gateBits   = 8

	readableMask Ready = 1<<writableAt - 1
	bitsMask     Ready = 1<<gatesAt - 1
	gatesMask    Ready = 1<<(gatesAt+MaxPorts*gateBits) - 1 - bitsMask

	noPort       Ready = 1 << 62
	uselessWhile Ready = 1 << 63
	noPortInGate Gate  = 1 << 7
)

// Readable returns the bit that is set while port p has input, or has reached its end.
func (p Port) Readable() Ready { return p.bit(0) }

// Writable returns the bit that is set while the kernel accepts output for port p.
func (p Port) Writable() Ready { return p.bit(writableAt) }

// Drained returns the bit that is set while the kernel has accepted all output that was
// written to port p.
func (p Port) Drained() Ready { return p.bit(drainedAt) }

// Opened returns the bit that is set while port p is connected.
func (p Port) Opened() Ready { return p.bit(openedAt) }

func (p Port) bit(at uint) Ready {
	if p >= MaxPorts {
		return noPort
	}
	return 1 << (uint(p) + at)
}

// Room returns the gate that is open while port p has room for output. Package reactor
// closes it while the port holds half of reactor.Options.WriteBuffer or more. It also
// closes it when a write to the port is refused because reactor.Config.Buffers is used
// up, until there is room again.
func (p Port) Room() Gate {
	if p >= MaxPorts {
		return noPortInGate
	}
	return 1 << p
}

// Gate is a set of conditions under which a readable bit is delivered; see
// [Ready.While]. Create it with [Port.Room] and [Sendable], and join sets with |.
//
//	7   6   5   4   3      0
//	| P | 0 | 0 | S | room   |
//
// Bit p of room is for port p, S is Sendable. P is set by a port that is too large,
// which Check reports.
type Gate uint8

// Sendable is the gate that closes when a mailbox refuses a message of this machine,
// because it is full, and opens when that mailbox has room again.
const Sendable Gate = 1 << MaxPorts

// AllGates is the set of all gates.
const AllGates = Sendable<<1 - 1

// While returns r with its readable bits held back until all gates of g are open. The
// other bits of r are not affected.
func (r Ready) While(g Gate) Ready {
	if r&readableMask == 0 {
		return r | uselessWhile
	}
	for in := r & readableMask; in != 0; in &= in - 1 {
		r |= Ready(g) << gateAt(lowest(in))
	}
	return r
}

// Has reports whether r and x have a bit in common, ignoring gates.
func (r Ready) Has(x Ready) bool { return r&x&bitsMask != 0 }

// Bits returns r without its gates.
func (r Ready) Bits() Ready { return r & bitsMask }

// Gates returns all gates of r.
func (r Ready) Gates() (all Gate) {
	for p := Port(0); p < MaxPorts; p++ {
		all |= r.Gate(p)
	}
	return all
}

// Gate returns the gates of the readable bit of port p.
func (r Ready) Gate(p Port) Gate {
	if p >= MaxPorts {
		return 0
	}
	return Gate(r >> gateAt(p))
}

// Deliver returns the bits of ready to deliver to a machine that waits for r, if the
// gates in open are open and the others closed. It takes a few nanoseconds and does
// not allocate.
func (r Ready) Deliver(ready Ready, open Gate) Ready {
	deliverable := r & ready & bitsMask
	if r&gatesMask == 0 || open == AllGates {
		return deliverable
	}
	for in := deliverable & readableMask; in != 0; in &= in - 1 {
		if p := lowest(in); Gate(r>>gateAt(p))&^open != 0 {
			deliverable &^= 1 << p
		}
	}
	return deliverable
}

func gateAt(p Port) uint { return gatesAt + gateBits*uint(p) }

func lowest(r Ready) Port { return Port(bits.TrailingZeros64(uint64(r))) }

// String returns r in words with the numbers of ports, such as
// "opened(1), readable(0) while room(1)".
func (r Ready) String() string { return r.Text(nil) }

// Text is like String, with the names of ports. A port without a name is shown by its
// number.
func (r Ready) Text(ports []string) string {
	var free []string
	for _, kind := range [...]struct {
		name string
		at   uint
	}{{"readable", 0}, {"writable", writableAt}, {"drained", drainedAt}, {"opened", openedAt}} {
		for p := Port(0); p < MaxPorts; p++ {
			if r&p.bit(kind.at) != 0 && (kind.at != 0 || r.Gate(p) == 0) {
				free = append(free, kind.name+"("+p.text(ports)+")")
			}
		}
	}
	var all []string
	if free != nil {
		all = append(all, strings.Join(free, "|"))
	}
	for p := Port(0); p < MaxPorts; p++ {
		if g := r.Gate(p); g != 0 {
			in := "none"
			if r&p.bit(0) != 0 {
				in = "readable(" + p.text(ports) + ")"
			}
			all = append(all, in+" while "+g.Text(ports))
		}
	}
	if r&uselessWhile != 0 {
		all = append(all, "none while ...")
	}
	if r&noPort != 0 {
		all = append(all, "no such port")
	}
	if all == nil {
		return "nothing"
	}
	return strings.Join(all, ", ")
}

// String returns g in words with the numbers of ports, such as "room(0)&sendable".
func (g Gate) String() string { return g.Text(nil) }

// Text is like String, with the names of ports.
func (g Gate) Text(ports []string) string {
	var all []string
	for p := Port(0); p < MaxPorts; p++ {
		if g&p.Room() != 0 {
			all = append(all, "room("+p.text(ports)+")")
		}
	}
	if g&Sendable != 0 {
		all = append(all, "sendable")
	}
	if rest := g &^ AllGates; rest != 0 {
		all = append(all, fmt.Sprintf("unknown(%#x)", uint8(rest)))
	}
	if all == nil {
		return "open"
	}
	return strings.Join(all, "&")
}

func (p Port) text(ports []string) string {
	if int(p) < len(ports) && ports[p] != "" {
		return ports[p]
	}
	return strconv.Itoa(int(p))
}
