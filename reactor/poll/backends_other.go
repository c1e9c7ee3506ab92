//go:build !unix && !windows

package poll

var backends []opener // none, so New returns ErrUnsupported

func wrapErrno(err error) error { return err }
