package poll

import "time"

// wait calls waitOnce until it returns an event or the timeout has passed. Packets may
// have no event, such as those of cancelled requests, and the system's clock may end a
// wait early.
func (a *afd) wait(dst []Event, timeout time.Duration) (int, error) {
	deadline := never
	if now := time.Since(a.start); timeout >= 0 && timeout < never-now {
		deadline = now + timeout
	}
	left := timeout
	for {
		n, packets, err := a.waitOnce(dst, left)
		if n > 0 || err != nil {
			return n, err
		}
		if deadline == never {
			continue
		}
		left = deadline - time.Since(a.start)
		if left <= 0 {
			// Events may be queued behind the packets.
			if packets == 0 {
				return 0, nil
			}
			left = 0
		}
	}
}

// waitOnce sends the requests that are due, waits once, and returns the number of events
// and of packets.
func (a *afd) waitOnce(dst []Event, left time.Duration) (n, packets int, err error) {
	refused, err := a.begin()
	if err != nil {
		return 0, 0, err
	}
	if a.wakersFirst = !a.wakersFirst; a.wakersFirst {
		n, _ = a.wakers.collect(dst)
	}
	a.asleep.Store(true)
	if refused && (left < 0 || left > retryDelay) {
		left = retryDelay
	}
	if n > 0 || a.wakerPending() {
		left = 0
	}
	if n < len(dst) {
		packets, err = dequeue(a.port, a.room(len(dst)-n), left)
	}
	a.asleep.Store(false)
	n += a.collect(a.entries[:packets], dst[n:])
	more, _ := a.wakers.collect(dst[n:]) // the next wait finds those that do not fit
	return n + more, packets, err
}

// room returns entries for at most n packets.
func (a *afd) room(n int) []entry {
	if n = min(n, maxEntries); n > len(a.entries) {
		a.entries = make([]entry, n)
	}
	return a.entries[:n]
}

// retryDelay is the time until a request is sent again that the kernel refused for lack of
// resources.
const retryDelay = 10 * time.Millisecond

// begin sends the requests that are due, and makes later changes take effect at once. It
// reports whether the kernel refused requests.
func (a *afd) begin() (refused bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return false, ErrClosed
	}
	a.due, a.refused = append(a.due, a.refused...), a.refused[:0]
	for _, at := range a.due {
		a.watches[at].due = false
		a.update(at)
	}
	a.due = a.due[:0]
	a.polling = true
	return len(a.refused) > 0, nil
}

// wakerPending reports whether a waker has an event.
func (a *afd) wakerPending() bool {
	for _, w := range a.wakers.all() {
		if w.state.Load() == wakerPending {
			return true
		}
	}
	return false
}

// collect stores the events of packets in dst.
func (a *afd) collect(packets []entry, dst []Event) (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.polling = false
	for _, e := range packets {
		if e.key == wakeKey {
			continue
		}
		if ev := a.completed(int32(e.context)); ev.Ready != 0 {
			dst[n] = ev
			n++
		}
	}
	return n
}

// completed returns the event of a completed request. Its Ready is 0 if there is none.
func (a *afd) completed(at int32) Event {
	w := &a.watches[at]
	r := a.memory.at(at)
	w.requested = 0
	a.pending--
	if !w.registered {
		a.release(at)
		return Event{}
	}
	a.changed(at)
	if r.id != w.id {
		return Event{} // of a socket that had the same handle before
	}
	result := r.result()
	if result&localClose != 0 {
		w.registered = false // closed without Remove
		return Event{}
	}
	if result &= w.events(); result != 0 && result != connectFail && w.want&Edge == 0 { // connectFail cannot change
		result = pollNow(a.immediate, a.memory.at(0), w.base, w.events())
	}
	ready := result.ready()
	if w.want&Edge != 0 {
		w.reported |= ready
	}
	return Event{w.token, ready}
}

// events returns the events that a request of w must ask for.
func (w *watch) events() events {
	unreported := func(r Ready) bool { return w.reported&r == 0 }
	want := localClose
	if w.want&Readable != 0 && unreported(Readable) {
		want |= receive | accept
	}
	if w.want&Readable != 0 && unreported(ReadClosed) {
		want |= disconnect
	}
	if w.want&Writable != 0 && unreported(Writable) {
		want |= sendable
	}
	if w.want&Priority != 0 && unreported(Priority) {
		want |= expedited
	}
	if unreported(WriteClosed) {
		want |= abort | connectFail
	}
	return want
}

// ready converts the events of AFD.
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
