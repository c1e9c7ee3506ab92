package reactor

import (
	"sync/atomic"

	"github.com/stator-go/stator/fsm"
)

// A machine whose Post was refused waits in a queue, until there is room: in that of the
// mailbox that was full, or of the ring that all mailboxes of the kind share. A queue has
// the machines of one loop, in the order in which they came. As many are woken as there
// is room for, since the others would be refused again; room that those leave is for the
// next ones, in the next turn. A machine that is woken and finds the room taken gets its
// old place back.

// waitersBit lies in the word that counts the messages of a mailbox. So a receiver that
// takes a message out sees in the same step whether a queue waits for room, and a sender
// that begins to wait sees whether there is room by now.
const waitersBit uint32 = 1 << 31

// mailboxes is an inbox of any message type. Mailboxes are numbered by their machines'
// slots; the ring that they share has the number behind the last one.
type mailboxes interface {
	// waitQueue returns the queue of a loop's machines for a mailbox. It will be
	// notified as soon as there is room.
	waitQueue(l *Loop, number uint32) *waitQueue
	// room returns how many messages would be accepted now.
	room(number uint32) int
	// notify tells the loops of all queues of a mailbox that there may be room.
	notify(number uint32)
	// afterNotify follows a notification: if machines still wait, it asks for another.
	afterNotify(q *waitQueue)
}

// waitQueue has the machines of one loop that wait for room in one mailbox.
type waitQueue struct {
	loop        *Loop
	box         mailboxes
	number      uint32 // of the mailbox
	first, last uint32 // machines, as index+1

	// Under the inbox's lock.
	next         *waitQueue // another loop's for the same mailbox; or the next spare one
	notified     bool       // it is in its loop's list of notified queues
	nextNotified *waitQueue
}

// waitPlace is a machine's place in a queue.
type waitPlace struct {
	queue      *waitQueue // nil: it does not wait
	prev, next uint32
	ticket     uint64 // in the order in which machines began to wait
}

// senders are the machines of a loop whose posts were refused.
type senders struct {
	loop     *Loop
	notified atomic.Pointer[waitQueue] // queues for which there may be room; any goroutine adds one
	places   lazyTable[waitPlace]      // by slot; made at the first refusal
	tickets  uint64                    // given out so far
	spare    *waitQueue
}

// block closes the gate Sendable of a machine. It waits in one queue: when it is woken,
// it finds out whether another mailbox is full, too.
func (s *senders) block(x uint32, h *header, box mailboxes, number uint32) {
	h.flags |= mRefused
	if h.gates&uint8(fsm.Sendable) == 0 {
		return
	}
	h.gates &^= uint8(fsm.Sendable)
	if s.places.pages == nil {
		s.places = newLazyTable[waitPlace](s.loop.cfg.Slots)
	}
	w := waitPlace{queue: box.waitQueue(s.loop, number), ticket: s.places.make(x).ticket}
	if h.flags&mSenderWoken == 0 {
		s.tickets++
		w.ticket, w.prev = s.tickets, w.queue.last
	} else { // it had been woken: its place is near the front
		for w.next = w.queue.first; w.next != 0 && s.places.at(w.next-1).ticket < w.ticket; {
			w.prev, w.next = w.next, s.places.at(w.next-1).next
		}
	}
	h.flags &^= mSenderWoken
	s.insert(x, w)
	if box.room(number) > 0 {
		box.notify(number) // the room came before the queue, so it was not notified
	}
}

// insert puts a machine into its place.
func (s *senders) insert(x uint32, w waitPlace) {
	q := w.queue
	if w.prev == 0 {
		q.first = x + 1
	} else {
		s.places.at(w.prev - 1).next = x + 1
	}
	if w.next == 0 {
		q.last = x + 1
	} else {
		s.places.at(w.next - 1).prev = x + 1
	}
	*s.places.at(x) = w
}

// unblock takes a machine out of its queue, and opens the gate Sendable.
func (s *senders) unblock(x uint32, h *header) {
	h.gates |= uint8(fsm.Sendable)
	place := s.places.at(x)
	w := *place
	*place = waitPlace{ticket: w.ticket}
	if w.prev == 0 {
		w.queue.first = w.next
	} else {
		s.places.at(w.prev - 1).next = w.next
	}
	if w.next == 0 {
		w.queue.last = w.prev
	} else {
		s.places.at(w.next - 1).prev = w.prev
	}
}

// remove takes a machine that ends out of its queue. An empty queue is notified, as
// that is how it is given back.
func (s *senders) remove(x uint32, h *header) {
	if h.gates&uint8(fsm.Sendable) != 0 {
		return
	}
	q := s.places.at(x).queue
	if s.unblock(x, h); q.first == 0 {
		q.box.notify(q.number)
	}
}

// wake schedules, of each notified queue, as many machines as there is room for.
func (s *senders) wake() {
	l := s.loop
	for q := s.notified.Swap(nil); q != nil; {
		next := q.nextNotified
		for n := q.box.room(q.number); n > 0 && q.first != 0; n-- {
			x := q.first - 1
			h := l.slots.At(x)
			s.unblock(x, h)
			h.flags |= mSenderWoken
			l.schedule(x, h)
		}
		q.box.afterNotify(q)
		q = next
	}
}

// addNotified adds a queue for wake, from any goroutine, and wakes the loop.
func (s *senders) addNotified(q *waitQueue) {
	for {
		q.nextNotified = s.notified.Load()
		if s.notified.CompareAndSwap(q.nextNotified, q) {
			break
		}
	}
	s.loop.sleeper.Wake()
}

// takeSpare returns an unused queue.
func (s *senders) takeSpare() *waitQueue {
	q := s.spare
	if q == nil {
		return new(waitQueue)
	}
	s.spare = q.next
	return q
}

func (in *inbox[Msg]) ringNumber() uint32 { return uint32(len(in.gens)) }

func (in *inbox[Msg]) waitQueue(l *Loop, number uint32) *waitQueue {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.queues == nil {
		in.queues = map[uint32]*waitQueue{}
	}
	for q := in.queues[number]; q != nil; q = q.next {
		if q.loop == l {
			return q
		}
	}
	q := l.senders.takeSpare()
	*q = waitQueue{loop: l, box: in, number: number, next: in.queues[number]}
	in.queues[number] = q
	in.waiting[number].Or(waitersBit)
	return q
}

func (in *inbox[Msg]) room(number uint32) int {
	if number == in.ringNumber() {
		return in.ring.Cap() - in.ring.Len()
	}
	return int(in.most) - int(in.waiting[number].Load()&^waitersBit)
}

func (in *inbox[Msg]) notify(number uint32) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.waiting[number].And(^waitersBit)
	for q := in.queues[number]; q != nil; q = q.next {
		if !q.notified {
			q.notified = true
			q.loop.senders.addNotified(q)
		}
	}
}

func (in *inbox[Msg]) afterNotify(q *waitQueue) {
	in.mu.Lock()
	q.notified = false
	empty := q.first == 0
	if empty {
		in.discardQueue(q)
	} else {
		in.waiting[q.number].Or(waitersBit)
	}
	in.mu.Unlock()
	// Set the bit first, then look again: room that came in between was not notified.
	if !empty && in.room(q.number) > 0 {
		in.notify(q.number)
	}
}

// discardQueue takes an empty queue out of the list of its mailbox.
func (in *inbox[Msg]) discardQueue(q *waitQueue) {
	if first := in.queues[q.number]; first != q {
		before := first
		for before.next != q {
			before = before.next
		}
		before.next = q.next
	} else if q.next != nil {
		in.queues[q.number] = q.next
	} else {
		delete(in.queues, q.number)
	}
	s := &q.loop.senders
	*q = waitQueue{next: s.spare}
	s.spare = q
}
