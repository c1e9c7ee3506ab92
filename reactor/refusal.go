package reactor

import (
	"sync/atomic"

	"github.com/stator-go/stator/fsm"
)

// A machine whose Post is refused waits at a door: of the mailbox that was full, or
// of the ring that all mailboxes of its kind share. A door has the machines of one
// loop, in the order that they came, and as many are let in as there is room for:
// those behind would only be refused again. Room that they leave is for the next,
// in the next turn. One that is let in and finds the room taken has its old place.
//
// The bit wanted lies in the word that counts a mailbox's messages: whoever takes
// one out sees in the same step whether somebody waits, and whoever comes to wait
// sees whether there is room by now.
const wanted uint32 = 1 << 31

// refuser is an inbox of whatever messages. Its doors have the numbers of the
// mailboxes that they lead to, and the ring's the one behind.
type refuser interface {
	// door is where a loop's machines wait. It is knocked at once there is room.
	door(l *Loop, at uint32) *door
	// room is how many messages would be taken now.
	room(at uint32) int
	// open knocks at all doors of a number.
	open(at uint32)
	// rest follows a knock: while machines wait, the next one is asked for.
	rest(d *door)
}

type door struct {
	loop        *Loop
	by          refuser
	at          uint32
	first, last uint32 // machines, as index+1
	next        *door  // another loop's, under the inbox's lock, or in Loop.spare
	knocked     bool   // under the inbox's lock: it is in Loop.knocked
	nextKnocked *door
}

// wait is a machine's place at a door.
type wait struct {
	door       *door // nil: it waits nowhere
	prev, next uint32
	ticket     uint64 // those who came later have larger ones
}

// doors are a loop's side of what refused its machines.
type doors struct {
	knocked atomic.Pointer[door] // behind them may be room; any goroutine adds
	waits   []wait               // by slot; made at the first refusal
	tickets uint64               // given out
	spare   *door
}

// refuse closes Sendable. A machine waits at one door: let in, it finds out
// whether another one is closed.
func (l *Loop) refuse(x uint32, h *header, by refuser, at uint32) {
	h.flags |= noRoom
	if h.gates&uint8(fsm.Sendable) == 0 {
		return
	}
	h.gates &^= uint8(fsm.Sendable)
	if l.doors.waits == nil {
		l.doors.waits = make([]wait, l.cfg.Slots)
	}
	w := wait{door: by.door(l, at), ticket: l.doors.waits[x].ticket}
	if h.flags&letIn == 0 {
		l.doors.tickets++
		w.ticket, w.prev = l.doors.tickets, w.door.last
	} else { // near the front
		for w.next = w.door.first; w.next != 0 && l.doors.waits[w.next-1].ticket < w.ticket; {
			w.prev, w.next = w.next, l.doors.waits[w.next-1].next
		}
	}
	h.flags &^= letIn
	l.doors.line(x, w)
	if by.room(at) > 0 {
		by.open(at) // it came meanwhile, and nobody else will tell
	}
}

// line puts a machine into its place at a door.
func (ds *doors) line(x uint32, w wait) {
	d := w.door
	if w.prev == 0 {
		d.first = x + 1
	} else {
		ds.waits[w.prev-1].next = x + 1
	}
	if w.next == 0 {
		d.last = x + 1
	} else {
		ds.waits[w.next-1].prev = x + 1
	}
	ds.waits[x] = w
}

// unblock takes a machine from the door where it waits, and opens Sendable.
func (l *Loop) unblock(x uint32, h *header) {
	h.gates |= uint8(fsm.Sendable)
	w := l.doors.waits[x]
	l.doors.waits[x] = wait{ticket: w.ticket}
	if w.prev == 0 {
		w.door.first = w.next
	} else {
		l.doors.waits[w.prev-1].next = w.next
	}
	if w.next == 0 {
		w.door.last = w.prev
	} else {
		l.doors.waits[w.next-1].prev = w.prev
	}
}

// quit takes a machine that ends from its door. One with nobody left is looked at, and
// so removed, as if it had been knocked at.
func (l *Loop) quit(x uint32, h *header) {
	if h.gates&uint8(fsm.Sendable) != 0 {
		return
	}
	d := l.doors.waits[x].door
	if l.unblock(x, h); d.first == 0 {
		d.by.open(d.at)
	}
}

// reopen lets in as many machines as there is room for.
func (l *Loop) reopen() {
	for d := l.doors.knocked.Swap(nil); d != nil; {
		next := d.nextKnocked
		for n := d.by.room(d.at); n > 0 && d.first != 0; n-- {
			x := d.first - 1
			h := l.slots.At(x)
			l.unblock(x, h)
			h.flags |= letIn
			l.rouse(x, h)
		}
		d.by.rest(d)
		d = next
	}
}

func (in *inbox[Msg]) ringDoor() uint32 { return uint32(len(in.gens)) }

func (in *inbox[Msg]) door(l *Loop, at uint32) *door {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.doors == nil {
		in.doors = make([]*door, len(in.waiting))
	}
	for d := in.doors[at]; d != nil; d = d.next {
		if d.loop == l {
			return d
		}
	}
	d := l.doors.spare
	if d == nil {
		d = new(door)
	} else {
		l.doors.spare = d.next
	}
	*d = door{loop: l, by: in, at: at, next: in.doors[at]}
	in.doors[at] = d
	in.waiting[at].Or(wanted)
	return d
}

func (in *inbox[Msg]) room(at uint32) int {
	if at == in.ringDoor() {
		return in.ring.Cap() - in.ring.Len()
	}
	return int(in.most) - int(in.waiting[at].Load()&^wanted)
}

func (in *inbox[Msg]) open(at uint32) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.waiting[at].And(^wanted)
	for d := in.doors[at]; d != nil; d = d.next {
		if !d.knocked {
			d.knocked = true
			d.loop.knock(d)
		}
	}
}

// knock adds to what reopen looks at.
func (l *Loop) knock(d *door) {
	for {
		d.nextKnocked = l.doors.knocked.Load()
		if l.doors.knocked.CompareAndSwap(d.nextKnocked, d) {
			break
		}
	}
	l.sleeper.Wake()
}

func (in *inbox[Msg]) rest(d *door) {
	in.mu.Lock()
	d.knocked = false
	empty := d.first == 0
	if empty {
		in.remove(d)
	} else {
		in.waiting[d.at].Or(wanted)
	}
	in.mu.Unlock()
	// Ask first, look again after: room that came in between was told to nobody.
	if !empty && in.room(d.at) > 0 {
		in.open(d.at)
	}
}

// remove makes a door spare.
func (in *inbox[Msg]) remove(d *door) {
	from := &in.doors[d.at]
	for *from != d {
		from = &(*from).next
	}
	*from = d.next
	l := d.loop
	*d = door{next: l.doors.spare}
	l.doors.spare = d
}
