package reactor

// maxErrs is the number of different errors that the ports of a loop may have at once.
const maxErrs = 255

// errTable gives errors numbers of one byte, so that a port needs no pointer for its sticky
// error. An error is forgotten when the last port that has it closes. If there are more
// errors than entries, the further ones share the last entry, which then has the latest.
type errTable struct {
	rows [maxErrs]struct {
		err   error
		ports uint32
	}
}

// hold returns the number of an error for one more port.
func (t *errTable) hold(err error) uint8 {
	row := maxErrs - 1
	for i := range t.rows[:maxErrs-1] {
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

// drop records that one port less has the error of a number; 0 is none.
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

// sameError compares two errors, without the panic that uncomparable values cause.
func sameError(a, b error) (same bool) {
	defer func() { _ = recover() }()
	return a == b
}
