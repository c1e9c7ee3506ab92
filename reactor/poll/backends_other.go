//go:build !unix && !windows

package poll

var backends []opener // none yet: New answers ErrUnsupported

func named(err error) error { return err }
