//go:build !unix

package poll

// backends are none yet: New answers ErrUnsupported.
var backends []struct {
	name string
	make func(*wakers) (backend, error)
}

func named(err error) error { return err }
