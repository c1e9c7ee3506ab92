package fsm

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// MaxPorts is how many descriptors a machine may own.
const MaxPorts = 4

// Port numbers one of a machine's four descriptors, from 0.
type Port uint8

// Ready is a set of readiness bits: what a row waits for, and what came. In what a
// row waits for, each readable bit has a gate; what came has none.
//
//	63   62  61  48 47    40 39    32 31    24 23    16 15    12 11     8 7      4 3      0
//	| S | P |  0   | gate 3 | gate 2 | gate 1 | gate 0 | opened | drained| write  | read   |
//
// Of the four bits of a kind, bit p is port p's. S and P mark mistakes, for Check
// to report where they were made: a While without a readable bit, a port that can't be.
type Ready uint64

const (
	writableAt = 4
	drainedAt  = 8
	openedAt   = 12
	gatesAt    = 16
	gateBits   = 8

	readables Ready = 1<<writableAt - 1
	came      Ready = 1<<gatesAt - 1
	gates     Ready = 1<<(gatesAt+MaxPorts*gateBits) - 1 - came

	noPort       Ready = 1 << 62
	strayWhile   Ready = 1 << 63
	noPortInGate Gate  = 1 << 7
)

// Readable is set when port p has input, or its end.
func (p Port) Readable() Ready { return p.bit(0) }

// Writable is set when the kernel would take output for port p.
func (p Port) Writable() Ready { return p.bit(writableAt) }

// Drained is set when all that was written to port p has gone to the kernel.
func (p Port) Drained() Ready { return p.bit(drainedAt) }

// Opened is set when port p is connected, or what was put under it is done.
func (p Port) Opened() Ready { return p.bit(openedAt) }

func (p Port) bit(at uint) Ready {
	if p >= MaxPorts {
		return noPort
	}
	return 1 << (uint(p) + at)
}

// Room is the gate that is open while port p's output has room.
func (p Port) Room() Gate {
	if p >= MaxPorts {
		return noPortInGate
	}
	return 1 << p
}

// Gate is a set of conditions that the loop keeps: a state may read one port
// only While others have room. Bit p is port p's room, bit 4 is Sendable.
//
//	7   6   5   4   3      0
//	| P | 0 | 0 | S | room   |
type Gate uint8

// Sendable is closed from a refused message on until the mailbox that refused it has
// room again.
const Sendable Gate = 1 << MaxPorts

// AllGates is every gate that there is.
const AllGates = Sendable<<1 - 1

// While lets r's readable bits through only while all of g hold. Other bits of r
// are not held back.
func (r Ready) While(g Gate) Ready {
	if r&readables == 0 {
		return r | strayWhile
	}
	for in := r & readables; in != 0; in &= in - 1 {
		r |= Ready(g) << gateAt(lowest(in))
	}
	return r
}

// Has tells whether any bit of x is in r. Gates don't count.
func (r Ready) Has(x Ready) bool { return r&x&came != 0 }

// Bits is r without its gates.
func (r Ready) Bits() Ready { return r & came }

// Gates is every gate that some bit of r waits for.
func (r Ready) Gates() (all Gate) {
	for p := Port(0); p < MaxPorts; p++ {
		all |= r.Gate(p)
	}
	return all
}

// Gate is the gate of port p's readable bit.
func (r Ready) Gate(p Port) Gate {
	if p >= MaxPorts {
		return 0
	}
	return Gate(r >> gateAt(p))
}

// Deliver is what of ready a machine waiting for r is told of, when the gates in
// open are open. It allocates nothing and costs a few nanoseconds.
func (r Ready) Deliver(ready Ready, open Gate) Ready {
	told := r & ready & came
	if r&gates == 0 || open == AllGates {
		return told
	}
	for in := told & readables; in != 0; in &= in - 1 {
		if p := lowest(in); Gate(r>>gateAt(p))&^open != 0 {
			told &^= 1 << p
		}
	}
	return told
}

func gateAt(p Port) uint { return gatesAt + gateBits*uint(p) }

func lowest(r Ready) Port { return Port(bits.TrailingZeros64(uint64(r))) }

// String writes ports as numbers: "opened(1), readable(0) while room(1)".
func (r Ready) String() string { return r.Text(nil) }

// Text is String with the names of ports; a port without one is its number.
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
	if r&strayWhile != 0 {
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

// String writes ports as numbers: "room(0)&sendable".
func (g Gate) String() string { return g.Text(nil) }

// Text is String with the names of ports.
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
