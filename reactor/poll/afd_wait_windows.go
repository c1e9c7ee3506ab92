package poll

import "time"

// wait repeats its looks until one finds an event: packets may carry none, such as
// those of cancelled requests, and clocks may run out of step.
func (a *afd) wait(dst []Event, timeout time.Duration) (int, error) {
	deadline := never
	if now := time.Since(a.start); timeout >= 0 && timeout < never-now {
		deadline = now + timeout
	}
	left := timeout
	for {
		n, packets, err := a.look(dst, left)
		if n > 0 || err != nil {
			return n, err
		}
		if deadline == never {
			continue
		}
		left = deadline - time.Since(a.start)
		if left <= 0 {
			// What stood behind the packets, or is sent after them, counts as well.
			if packets == 0 {
				return 0, nil
			}
			left = 0
		}
	}
}

// look asks for what is due, waits once, and tells how many events and packets came.
func (a *afd) look(dst []Event, left time.Duration) (n, packets int, err error) {
	refused, err := a.begin()
	if err != nil {
		return 0, 0, err
	}
	if a.first = !a.first; a.first {
		n, _ = a.wakers.hear(dst)
	}
	a.asleep.Store(true)
	if refused && (left < 0 || left > moment) {
		left = moment
	}
	if n > 0 || a.rung() {
		left = 0
	}
	if n < len(dst) {
		packets, err = dequeue(a.port, a.room(len(dst)-n), left)
	}
	a.asleep.Store(false)
	n += a.collect(a.entries[:packets], dst[n:])
	more, _ := a.wakers.hear(dst[n:]) // who finds no room is seen by rung
	return n + more, packets, err
}

// room is entries for as many packets as there may be events.
func (a *afd) room(n int) []entry {
	if n = min(n, maxEntries); n > len(a.entries) {
		a.entries = make([]entry, n)
	}
	return a.entries[:n]
}

// moment is how long a request waits that the kernel has refused, for want of memory.
const moment = 10 * time.Millisecond

// begin settles what is due, and has changes settled at once from here on. It tells
// whether requests were refused.
func (a *afd) begin() (refused bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return false, ErrClosed
	}
	a.due, a.again = append(a.due, a.again...), a.again[:0]
	for _, at := range a.due {
		a.watches[at].due = false
		a.settle(at)
	}
	a.due = a.due[:0]
	a.polling = true
	return len(a.again) > 0, nil
}

// rung tells whether a waker has an event.
func (a *afd) rung() bool {
	for _, w := range a.wakers.all() {
		if w.state.Load() == wakerPending {
			return true
		}
	}
	return false
}

// collect moves what packets tell to dst.
func (a *afd) collect(packets []entry, dst []Event) (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.polling = false
	for _, e := range packets {
		if e.key == nudge {
			continue
		}
		if ev := a.answered(int32(e.context)); ev.Ready != 0 {
			dst[n] = ev
			n++
		}
	}
	return n
}

// answered is the event of a request that has come back; its Ready is 0 when there
// is none.
func (a *afd) answered(at int32) Event {
	w := &a.watches[at]
	r := a.memory.at(at)
	w.asked = 0
	a.under--
	if !w.registered {
		a.release(at)
		return Event{}
	}
	a.changed(at)
	if r.id != w.id {
		return Event{} // of the socket that had this handle before
	}
	came := r.answer()
	if came&localClose != 0 {
		w.registered = false // without Remove
		return Event{}
	}
	if came &= w.asks(); came != 0 && came != connectFail && w.want&Edge == 0 { // that one stays
		came = glance(a.glance, a.memory.at(0), w.base, w.asks())
	}
	ready := came.ready()
	if w.want&Edge != 0 {
		w.told |= ready
	}
	return Event{w.token, ready}
}

// asks is what a request of w has to ask for.
func (w *watch) asks() events {
	news := func(r Ready) bool { return w.told&r == 0 }
	ask := localClose
	if w.want&Readable != 0 && news(Readable) {
		ask |= receive | accept
	}
	if w.want&Readable != 0 && news(ReadClosed) {
		ask |= disconnect
	}
	if w.want&Writable != 0 && news(Writable) {
		ask |= sendable
	}
	if w.want&Priority != 0 && news(Priority) {
		ask |= expedited
	}
	if news(WriteClosed) {
		ask |= abort | connectFail
	}
	return ask
}

// ready is what AFD tells as Ready.
func (e events) ready() (r Ready) {
	if e&(receive|accept) != 0 {
		r |= Readable
	}
	if e&sendable != 0 {
		r |= Writable
	}
	if e&expedited != 0 {
		r |= Priority
	}
	if e&disconnect != 0 {
		r |= Readable | ReadClosed
	}
	if e&(abort|connectFail) != 0 {
		r |= Readable | Writable | ReadClosed | WriteClosed | Error
	}
	return r
}
