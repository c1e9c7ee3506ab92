package reactor

// errRows is how many errors a loop's ports have at once, told apart.
const errRows = 255

// errTable gives errors numbers of one byte, so that a port's sticky error needs no
// pointer. An error leaves when the last port that has it closes. Errors beyond
// the rows share the last one, which tells of the latest.
type errTable struct {
	rows [errRows]struct {
		err   error
		ports uint32
	}
}

// hold is an error's number, for one port more.
func (t *errTable) hold(err error) uint8 {
	row := errRows - 1
	for i := range t.rows[:errRows-1] {
		if e := t.rows[i].err; e == nil {
			row = min(row, i)
		} else if sameError(e, err) {
			row = i
			break
		}
	}
	t.rows[row].err = err
	t.rows[row].ports++
	return uint8(row + 1)
}

// drop is a port less that has an error of a number; 0 is none.
func (t *errTable) drop(n uint8) {
	if n == 0 {
		return
	}
	if e := &t.rows[n-1]; e.ports > 1 {
		e.ports--
	} else {
		e.err, e.ports = nil, 0
	}
}

func (t *errTable) of(n uint8) error {
	if n == 0 {
		return nil
	}
	return t.rows[n-1].err
}

// sameError compares without the panic that uncomparable error values cause.
func sameError(a, b error) (same bool) {
	defer func() { _ = recover() }()
	return a == b
}
