//go:build unix

package sig_test

import (
	"fmt"
	"os"
	"syscall"

	"github.com/stator-go/stator/sig"
)

// A loop that waits for signals alone. Its bell keeps a wake that comes before the
// loop waits, so it need not look at Empty first.
func Example() {
	bell := make(chan struct{}, 1)
	src, err := sig.Open(func() {
		select {
		case bell <- struct{}{}:
		default:
		}
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := src.Notify(sig.Of(syscall.SIGHUP, syscall.SIGTERM)); err != nil {
		fmt.Println(err)
		return
	}
	defer src.Close()

	send := func(s syscall.Signal) { _ = syscall.Kill(os.Getpid(), s) }
	send(syscall.SIGHUP)
	for {
		<-bell
		came := src.Take()
		if came.Has(syscall.SIGHUP) {
			fmt.Println("reading the configuration again")
			send(syscall.SIGTERM)
		}
		if came.Has(syscall.SIGTERM) {
			fmt.Println("ending")
			return
		}
	}
	// Output:
	// reading the configuration again
	// ending
}
