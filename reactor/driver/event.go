package driver

// EventData is the number that a socket is registered with. Each event of the socket
// carries it back. It says which socket is meant, and which use of a reused slot or
// port, so that an event which comes too late is recognized: the loop compares it
// whole.
//
//	63         32 31     26 25  24 23     0
//	| generation | portgen | port | index  |   generation odd: a port of a machine
//	| generation |      number     | source |   generation even: the loop's own
//	                        31    8 7      0
//
// The index is a machine's slot, 24 bits as in slab.Token; a machine has at most four
// ports, so 2 bits name one. The port's generation has the 6 bits that are left: it
// distinguishes the last 64 sockets of one port. Sources of the loop's own, its waker
// and its listeners, have a source number, and a number of their own.
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

// PortEvent returns the data for a port of the machine in a slot. The generation is
// the slot's, which is odd while a machine lives there.
func PortEvent(generation, index uint32, port, portGen uint8) EventData {
	return EventData(generation)<<generation0 | EventData(portGen&portGenMask)<<portGenAt | EventData(port&portMask)<<portAt | EventData(index&indexMask)
}

// OwnEvent returns the data for a source of the loop's own. The generation is even.
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

// Number returns the number of the listener, or whatever else the source counts.
func (d EventData) Number() uint32 { return uint32(d) >> sourceBits }

// NextPortGen returns the generation after gen: that of the port's next socket.
func NextPortGen(gen uint8) uint8 { return (gen + 1) & portGenMask }
