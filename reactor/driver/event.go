package driver

// EventData is the number that a socket is registered with, and that each event of the
// socket carries. A driver passes it on as it is. It names a port of a machine, or a
// source of the loop's own, and it has a generation: slots and ports are used again,
// and the loop drops an event whose 64 bits are not those of a socket that is open.
//
//	63         32 31     26 25  24 23     0
//	| generation | portgen | port | index  |   generation odd: a port of a machine
//	| generation |      number     | source |   generation even: a source of the loop's own
//	                        31    8 7      0
//
// The index is that of the machine's slot, 24 bits as in slab.Token. A machine has at
// most four ports, so 2 bits name one. The port's generation has the 6 bits that are
// left: it tells apart the last 64 sockets of one port. The loop's own sources are its
// waker and its listeners, and the number is that of the listener.
type EventData uint64

// The fields of an EventData.
const (
	indexBits   = 24
	portAt      = indexBits
	portGenAt   = portAt + 2
	sourceBits  = 8
	generation0 = 32

	indexMask   = 1<<indexBits - 1
	portMask    = 1<<2 - 1
	portGenMask = 1<<6 - 1
	sourceMask  = 1<<sourceBits - 1
)

// The loop's own sources of events.
const (
	SourceWaker    = 1
	SourceListener = 2
)

// PortEvent returns the data for a port of the machine in a slot: the generation, odd
// while a machine lives there, and the index are the slot's.
func PortEvent(generation, index uint32, port, portGen uint8) EventData {
	return EventData(generation)<<generation0 | EventData(portGen&portGenMask)<<portGenAt | EventData(port&portMask)<<portAt | EventData(index&indexMask)
}

// OwnEvent returns the data for a source of the loop's own. The generation is even, and
// number has at most 24 bits.
func OwnEvent(generation, number uint32, source uint8) EventData {
	return EventData(generation)<<generation0 | EventData(number&(1<<indexBits-1))<<sourceBits | EventData(source)
}

// OfMachine reports whether the data is that of a machine's port.
func (d EventData) OfMachine() bool { return d>>generation0&1 != 0 }

// Generation returns the generation of the slot, or of the loop's own source.
func (d EventData) Generation() uint32 { return uint32(d >> generation0) }

// Index returns the machine's slot.
func (d EventData) Index() uint32 { return uint32(d) & indexMask }

// Port returns the number of the machine's port.
func (d EventData) Port() uint8 { return uint8(d>>portAt) & portMask }

// PortGen returns the generation of the machine's port.
func (d EventData) PortGen() uint8 { return uint8(d>>portGenAt) & portGenMask }

// Source returns the number of the loop's own source.
func (d EventData) Source() uint8 { return uint8(d & sourceMask) }

// Number returns the number of the loop's own source among those of its kind: which
// listener it is.
func (d EventData) Number() uint32 { return uint32(d) >> sourceBits }

// NextPortGen returns the generation of a port's next socket after one with gen: gen+1
// modulo 64.
func NextPortGen(gen uint8) uint8 { return (gen + 1) & portGenMask }
